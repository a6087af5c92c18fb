namespace WebApi;

/// <summary>PNG files, in base64 as JSON has bytes.</summary>
public sealed record ImageResponse(IReadOnlyList<byte[]> Images);
