namespace FewStep.Experiments;

/// <summary>Names of enumeration values as manifests and tables write them: in lower case.</summary>
internal static class EnumName
{
    public static string Of<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
