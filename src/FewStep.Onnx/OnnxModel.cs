using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Noise;
using System.Text.Json;

namespace FewStep.Onnx;

/// <summary>A diffusion model read from an ONNX file. Owns the denoiser; dispose it.</summary>
/// <param name="Preconditioning">Prediction and noise in a few words, e.g. <c>epsilon, vp-linear</c>.</param>
/// <param name="Hash">SHA-256 of all that determines what the model computes: the file, the files that it keeps weights in, and its
/// description but for names. Lower-case hexadecimal.</param>
internal sealed record OnnxModel(
    string Path, OnnxModelDescription Description, OnnxDenoiser Denoiser, string Preconditioning, string Hash) : IDisposable
{
    /// <summary>What the file says of itself; null where this program did not write it.</summary>
    public OnnxMetadata? Metadata { get; private init; }

    public string Name => Description.Name ?? System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <param name="provider">What computes it; null (default) for the processor.</param>
    /// <param name="around">What the pipeline around it says; null (default) where there is none.</param>
    /// <returns>The model; the caller owns it.</returns>
    public static OnnxModel Open(string path, OnnxModelDescription? settings = null, int threads = 0, OnnxProvider? provider = null,
        OnnxSurroundings? around = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path))
            throw new InvalidInputException($"There is no model at {path}.");
        var metadata = OnnxMetadata.Of(path);
        if (metadata is { Kind: OnnxKind.Sampler })
        {
            throw new InvalidInputException(
                $"{path} is a whole sampler, from latents to images: sample and verify take it; for anything else export the denoiser.");
        }

        var description = Describe(metadata).With(around?.Description ?? new()).With(OnnxModelDescription.Beside(path))
            .With(settings ?? new OnnxModelDescription());
        var files = OnnxFileScan.ExternalFiles(path);
        return Of(path, new OnnxSession(path, threads, provider: provider), description, metadata,
            prediction => HashOf(path, files, description with { Prediction = prediction }, around?.Noise), around);
    }

    /// <summary>A model that this program wrote and that has no file yet.</summary>
    /// <returns>The model; the caller owns it.</returns>
    public static OnnxModel Of(string path, byte[] content, OnnxMetadata metadata)
        => Of(path, new OnnxSession(path, 0, content), Describe(metadata), metadata, _ => metadata.ModelHash);

    public void Dispose() => Denoiser.Dispose();

    private static OnnxModel Of(string path, OnnxSession session, OnnxModelDescription description, OnnxMetadata? metadata,
        Func<OnnxPrediction, string> hash, OnnxSurroundings? around = null)
    {
        try
        {
            var signature = OnnxSignature.Of(path, session, description, takesText: around is not null);
            var noiseOf = description.Noise is null && description.Prediction is null ? around?.Noise : null;
            var prediction = noiseOf is null ? Prediction(path, signature, description) : Prediction(noiseOf);
            if (noiseOf is not null && signature.IsPacked) // which is told the time itself
                noiseOf = noiseOf with { TimeScale = (noiseOf.TimeScale ?? 1) / FluxTransformer.TimeFactor };
            var preconditioning = noiseOf?.Build()
                ?? OnnxNoise.Preconditioning(path, prediction, description, OnnxTensors.IsWhole(signature.Noise.Type));
            var (low, high) = preconditioning is null ? Range(path, description) : (preconditioning.SigmaMin, preconditioning.SigmaMax);
            int classes = ClassCount(path, signature, description);
            var conditions = signature.Context is null ? null : around!.Conditions(signature);
            var denoiser = new OnnxDenoiser(path, session, signature, preconditioning, classes, low, high, description.UnconditionalLabel,
                metadata?.Evaluations ?? 1, conditions);
            string noise = noiseOf?.Noise ?? description.Noise ?? (prediction == OnnxPrediction.Flow ? FlowTime.NoiseName : "sigma");
            return new OnnxModel(path, description, denoiser, $"{prediction.ToString().ToLowerInvariant()}, {noise}",
                hash(prediction))
            { Metadata = metadata };
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    // What the file says of itself.
    private static OnnxModelDescription Describe(OnnxMetadata? metadata) => metadata is null ? new() : new()
    {
        Name = metadata.Model,
        Prediction = OnnxPrediction.Denoised,
        SigmaMin = metadata.SigmaMin,
        SigmaMax = metadata.SigmaMax,
        Shape = metadata.Shape,
        Classes = metadata.Classes > 0 ? metadata.Classes : null,
        ClassNames = metadata.ClassNames,
        UnconditionalLabel = metadata.KnowsNoClass ? metadata.Classes : null,
    };

    private static OnnxPrediction Prediction(PreconditioningConfig noise) => noise.Prediction switch
    {
        NetworkPrediction.V => OnnxPrediction.V,
        NetworkPrediction.Sample => OnnxPrediction.Sample,
        _ => noise.Kind == PreconditioningConfig.Flow ? OnnxPrediction.Flow : OnnxPrediction.Epsilon,
    };

    private static OnnxPrediction Prediction(string path, OnnxSignature signature, OnnxModelDescription description)
    {
        var prediction = description.Prediction ?? (signature.IsToldSigma
            ? OnnxPrediction.Denoised
            : throw new InvalidInputException(
                $"{path} is told a time ({Printable.Text(signature.Noise.Name)}) and does not say what it gives; say its prediction "
                    + $"(epsilon, v, sample or flow) and its noise, or describe it in {path}{OnnxModelDescription.Extension}."));
        return prediction == OnnxPrediction.Denoised && OnnxTensors.IsWhole(signature.Noise.Type)
            ? throw new InvalidInputException($"{path}: a model that gives denoised images is told sigma, but its input "
                + $"{Printable.Text(signature.Noise.Name)} takes whole numbers; choose another prediction.")
            : prediction;
    }

    private static (double Low, double High) Range(string path, OnnxModelDescription description)
    {
        var (low, high) = (description.SigmaMin ?? EdmPreconditioning.UsualMinimum,
            description.SigmaMax ?? EdmPreconditioning.UsualMaximum);
        return low > 0 && low < high && double.IsFinite(high)
            ? (low, high)
            : throw new InvalidInputException(FormattableString.Invariant(
                $"{path}: its description says sigma_min {low} and sigma_max {high}; they must be finite with 0 < sigma_min < sigma_max."));
    }

    private static int ClassCount(string path, OnnxSignature signature, OnnxModelDescription description)
    {
        int? fixedByFile = signature is { IsOneHot: true, Label.Sizes: [_, > 0 and int columns] } ? columns : null;
        int? said = description.Classes ?? description.ClassNames?.Count;
        if (signature.Label is null)
        {
            return said is null or 0 ? 0 : throw new InvalidInputException(
                $"{path} has no input for labels, so it has no classes; leave them out of its description.");
        }

        if (description.ClassNames is { } names && (names.Count != (description.Classes ?? names.Count) || names.Contains(null!)))
        {
            throw new InvalidInputException(
                $"{path}: its description has {names.Count} class_names for {description.Classes} classes; give one text for each class.");
        }

        int classes = fixedByFile ?? said ?? throw new InvalidInputException(
            $"{path} takes labels ({Printable.Text(signature.Label.Name)}) and does not say how many classes there are; say its classes.");
        if (classes is < 1 or > DatasetLabels.MostClasses)
            throw new InvalidInputException($"{path}: {classes} classes make no sense; 1 to {DatasetLabels.MostClasses} are possible.");
        return said is null || said == classes ? classes
            : throw new InvalidInputException($"{path}: {said} classes were asked for; it has {fixedByFile}.");
    }

    private static string HashOf(string path, IReadOnlyList<string> files, OnnxModelDescription description, PreconditioningConfig? noise)
    {
        string what = JsonSerializer.Serialize(description with { Name = null, ClassNames = null }, JsonFile.Options)
            + (noise is null ? "" : JsonSerializer.Serialize(noise, JsonFile.Options));
        return Sha256.Of(string.Join('\n', files.Prepend(path).Select(Sha256.OfFile).Prepend(what)));
    }
}

/// <summary>What the pipeline around a network says of it.</summary>
internal sealed record OnnxSurroundings
{
    /// <summary>Shape of its input, classes, its label for "no class"; where the network's file says it itself, that is taken.</summary>
    public OnnxModelDescription Description { get; init; } = new();

    /// <summary>The noise that it was trained on; null where nothing says it.</summary>
    public PreconditioningConfig? Noise { get; init; }

    /// <summary>What labels mean to a network that takes text.</summary>
    public required Func<OnnxSignature, IConditions> Conditions { get; init; }
}
