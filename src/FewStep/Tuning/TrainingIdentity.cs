using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>What a training is: options, architecture and data. A checkpoint can only be resumed by the same.</summary>
/// <param name="Fingerprint">SHA-256 of all that must be equal, hexadecimal.</param>
/// <param name="Parts">The same as JSON, so that a difference can be named.</param>
internal sealed record TrainingIdentity(string Fingerprint, string Parts)
{
    /// <summary>An identity whose fingerprint is that of its parts.</summary>
    public static TrainingIdentity Of<T>(T parts)
    {
        string json = JsonSerializer.Serialize(parts, JsonFile.Options);
        return new TrainingIdentity(Hash(json), json);
    }

    /// <summary>SHA-256 of a text.</summary>
    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>SHA-256 of weights.</summary>
    /// <param name="weights">Flat weights; not owned.</param>
    internal static string Hash(Tensor weights)
    {
        using var scope = NewDisposeScope();
        var plain = weights.detach().cpu().contiguous();
        return Convert.ToHexStringLower(SHA256.HashData(plain.bytes));
    }

    /// <summary>The first part in which another identity differs, as a clause for people; null where it cannot be told.</summary>
    /// <param name="stored">The other's <see cref="Parts"/>; null where unknown.</param>
    internal string? DifferenceTo(string? stored)
    {
        try
        {
            return stored is null ? null : JsonLeaves.Difference(JsonLeaves.Of(JsonNode.Parse(stored)), JsonLeaves.Of(JsonNode.Parse(Parts)));
        }
        catch (JsonException)
        {
            return null; // the file is from elsewhere, and what it says only helps the message
        }
    }
}
