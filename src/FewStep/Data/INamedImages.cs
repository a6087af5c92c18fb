namespace FewStep.Data;

/// <summary>Images that have names.</summary>
internal interface INamedImages
{
    /// <summary>Their paths in folder or zip, in their order, with forward slashes.</summary>
    IReadOnlyList<string> Names { get; }
}
