using FewStep.Checkpoints;
using FewStep.Collectives;

namespace FewStep.Tuning;

/// <summary>A safetensors file from which a training goes on: tensors, texts, and what training they belong to.</summary>
internal static class TrainingCheckpoint
{
    private const string KindKey = "kind", FingerprintKey = "fingerprint", IdentityKey = "identity";

    public static void Write(string path, string kind, TrainingIdentity identity, IEnumerable<StoredTensor> tensors,
        IEnumerable<KeyValuePair<string, string>> texts) =>
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string>(texts)
        { [KindKey] = kind, [FingerprintKey] = identity.Fingerprint, [IdentityKey] = identity.Parts });

    /// <param name="targets">The slices that are filled.</param>
    public static Dictionary<string, string> Read(
        string path, string kind, TrainingIdentity identity, IReadOnlyDictionary<string, Tensor> targets, VectorSlices slices)
    {
        var (none, metadata) = SafetensorsFile.Read(path, _ => false);
        none.Dispose();
        if (metadata.GetValueOrDefault(KindKey) != kind)
            throw new InvalidInputException($"{path} is no training checkpoint of this version.");
        if (metadata.GetValueOrDefault(FingerprintKey) != identity.Fingerprint)
        {
            string difference = identity.DifferenceTo(metadata.GetValueOrDefault(IdentityKey)) is string clause ? $" ({clause})" : "";
            throw new InvalidInputException($"{path} belongs to a training with other options, architecture or data{difference}; "
                + "choose another folder, or repeat the options that it began with.");
        }

        using var noGradient = no_grad();
        foreach (var (name, target) in targets)
        {
            // One at a time: each is as large as all weights, of which a rank needs a slice.
            var (tensors, _) = SafetensorsFile.Read(path, stored => stored == name);
            using (tensors)
            {
                if (!tensors.TryGetValue(name, out var saved) || saved.NumberOfElements != slices.Count || saved.dtype != target.dtype)
                    throw new InvalidInputException($"{path} is damaged: '{name}' is missing or has another size.");
                using var own = slices.Own(saved);
                target.copy_(own);
            }
        }

        return metadata;
    }

    public static T Number<T>(IReadOnlyDictionary<string, string> texts, string name, string path)
        where T : System.Numerics.INumber<T>
        => T.TryParse(texts.GetValueOrDefault(name), System.Globalization.NumberStyles.Float,
            System.Globalization.CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new InvalidInputException($"{path} is damaged: its '{name}' is no number.");
}
