namespace WebApi;

/// <summary>What <c>POST /images</c> takes: a seed for each image, and a label for each or none at all (then seed mod classes).</summary>
public sealed record ImageRequest(IReadOnlyList<long> Seeds, IReadOnlyList<long>? Labels = null);
