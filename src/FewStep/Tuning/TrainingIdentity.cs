using System.Text.Json.Nodes;

namespace FewStep.Tuning;

/// <summary>What a training is: options, architecture and data. A checkpoint can only be resumed by the same.</summary>
internal sealed record TrainingIdentity(string Fingerprint, string Parts)
{
    /// <summary>What ranks that train together must have in common.</summary>
    public const string Shared = "model, options, data or checkpoint";

    /// <summary>An identity whose fingerprint is that of its parts.</summary>
    public static TrainingIdentity Of<T>(T parts)
    {
        string json = JsonSerializer.Serialize(parts, JsonFile.Options);
        return new TrainingIdentity(Sha256.Of(json), json);
    }

    internal static string Hash(Tensor weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        TensorBytes.Read(weights, part => hash.AppendData(part));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The first part in which another identity differs, as a clause for people; null where it cannot be told.</summary>
    internal string? DifferenceTo(string? stored)
    {
        try
        {
            return stored is null ? null
                : JsonLeaves.Difference(JsonLeaves.Of(JsonNode.Parse(stored)), JsonLeaves.Of(JsonNode.Parse(Parts)));
        }
        catch (JsonException)
        {
            return null; // the file is from elsewhere, and what it says only helps the message
        }
    }
}
