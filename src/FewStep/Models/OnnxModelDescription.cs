namespace FewStep.Models;

/// <summary>What a file of ONNX does not say about a diffusion model; in a file beside it, <c>model.onnx.json</c>, or on the command line.
/// All of it may be left out where the model says it itself.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)] // a misspelt setting must not silently be its default
public sealed record OnnxModelDescription
{
    /// <summary>What is added to the model's path for the description beside it.</summary>
    public const string Extension = ".json";

    /// <summary>Display name; null for the file's name.</summary>
    public string? Name { get; init; }

    /// <summary>What the model gives; null where its inputs tell (x and sigma give the denoised image).</summary>
    public OnnxPrediction? Prediction { get; init; }

    /// <summary>The noise that it was trained on: <c>vp-linear</c>, <c>vp-scaled-linear</c>, <c>vp-cosine</c> or <c>rectified-flow</c>.
    /// Null with the prediction denoised, which needs none, and flow, which has only one.</summary>
    public string? Noise { get; init; }

    /// <summary>First beta; null for the noise's usual one.</summary>
    public double? BetaStart { get; init; }

    /// <summary>Last beta; null for the noise's usual one.</summary>
    public double? BetaEnd { get; init; }

    /// <summary>Number of times of a discrete noise; null for 1000.</summary>
    public int? TimeSteps { get; init; }

    /// <summary>Of a rectified flow: factor of t in what the model is told; null for 1.</summary>
    public double? TimeScale { get; init; }

    /// <summary>Smallest noise level of the predictions denoised (null for 0.002) and flow; the others derive theirs.</summary>
    public double? SigmaMin { get; init; }

    /// <summary>Largest noise level of the predictions denoised (null for 80) and flow; the others derive theirs.</summary>
    public double? SigmaMax { get; init; }

    /// <summary>Shape of the images; null where the model fixes it.</summary>
    public ImageShape? Shape { get; init; }

    /// <summary>Number of classes; null where the model says it, or has none.</summary>
    public int? Classes { get; init; }

    /// <summary>Names of the classes in order; null where they have none.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>The label that stands for "no class" in the model's label input; null where it knows none.</summary>
    public int? UnconditionalLabel { get; init; }

    /// <summary>Name of the input for noised images; null where it is recognised.</summary>
    public string? ImageInput { get; init; }

    /// <summary>Name of the input for sigma or time; null where it is recognised.</summary>
    public string? NoiseInput { get; init; }

    /// <summary>Name of the input for class labels; null where it is recognised, or there is none.</summary>
    public string? LabelInput { get; init; }

    /// <summary>Name of the output; null where it is recognised.</summary>
    public string? Output { get; init; }

    /// <summary>Reads the description beside a model.</summary>
    /// <param name="model">Path of the model.</param>
    /// <returns>The description; an empty one where there is no file.</returns>
    /// <exception cref="InvalidInputException">The file is there and invalid.</exception>
    public static OnnxModelDescription Beside(string model)
        => File.Exists(model + Extension) ? JsonFile.Read<OnnxModelDescription>(model + Extension) : new OnnxModelDescription();

    /// <summary>This description with what another one says taken from that.</summary>
    /// <param name="other">Settings that win where they are not null.</param>
    public OnnxModelDescription With(OnnxModelDescription other)
    {
        var merged = this with { };
        foreach (var setting in typeof(OnnxModelDescription).GetProperties())
        {
            if (setting.GetValue(other) is { } said)
                setting.SetValue(merged, said);
        }

        return merged;
    }
}
