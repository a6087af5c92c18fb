using System.Globalization;
using FewStep.Checkpoints;
using FewStep.Runtime;
using static TorchSharp.torch;

namespace FewStep.Training;

/// <summary>All that a training needs to go on exactly where it stopped: weights, moments, average, counters.</summary>
public sealed class TrainingState : IDisposable
{
    private const string Kind = "fewstep-training-state-1";

    /// <summary>Begins at given weights.</summary>
    /// <param name="weights">Flat float32 weights; owned by this object from now on.</param>
    /// <param name="adamW">Constants of the optimiser.</param>
    /// <param name="emaHalfLife">Half-life of the average in images.</param>
    public TrainingState(Tensor weights, AdamWOptions adamW, double emaHalfLife)
    {
        Weights = weights.DetachFromDisposeScope();
        Optimizer = new AdamW(Weights, adamW);
        Average = new ExponentialMovingAverage(Weights, emaHalfLife);
    }

    /// <summary>The weights that are trained.</summary>
    public Tensor Weights { get; }

    /// <summary>The optimiser and its moments.</summary>
    public AdamW Optimizer { get; }

    /// <summary>The averaged weights: the model that is used.</summary>
    public ExponentialMovingAverage Average { get; }

    /// <summary>Images seen so far.</summary>
    public long Images { get; set; }

    /// <summary>Wall-clock seconds of training so far, over all sittings.</summary>
    public double Seconds { get; set; }

    /// <summary>Writes the state, whole or not at all.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="identity">Options, architecture and data; <see cref="Load"/> demands the same.</param>
    /// <param name="furtherTensors">What else belongs to the state, under names of its own; null for nothing.</param>
    /// <param name="furtherTexts">Likewise, as texts.</param>
    public void Save(string path, TrainingIdentity identity, IReadOnlyDictionary<string, Tensor>? furtherTensors = null, IReadOnlyDictionary<string, string>? furtherTexts = null)
    {
        var texts = new Dictionary<string, string>(furtherTexts ?? new Dictionary<string, string>())
        {
            ["kind"] = Kind,
            ["fingerprint"] = identity.Fingerprint,
            ["identity"] = identity.Parts,
            ["updates"] = Optimizer.Updates.ToString(CultureInfo.InvariantCulture),
            ["images"] = Images.ToString(CultureInfo.InvariantCulture),
            ["device"] = DeviceChoice.Describe(Weights.device),
            ["seconds"] = Seconds.ToString("R", CultureInfo.InvariantCulture),
        };
        SafetensorsFile.Write(path, Tensors(furtherTensors), texts);
    }

    /// <summary>Takes a saved state over.</summary>
    /// <param name="path">A file written by <see cref="Save"/>.</param>
    /// <param name="identity">Must be that of the file.</param>
    /// <param name="furtherTensors">Tensors to overwrite with what else was saved, by name; null for none.</param>
    /// <returns>The file's texts.</returns>
    /// <exception cref="InvalidInputException">The file is damaged, or belongs to another training.</exception>
    public IReadOnlyDictionary<string, string> Load(string path, TrainingIdentity identity, IReadOnlyDictionary<string, Tensor>? furtherTensors = null)
    {
        var (tensors, metadata) = SafetensorsFile.Read(path);
        try
        {
            if (metadata.GetValueOrDefault("kind") != Kind)
            {
                throw new InvalidInputException($"{path} is no training checkpoint of this version.");
            }

            if (metadata.GetValueOrDefault("fingerprint") != identity.Fingerprint)
            {
                string difference = identity.DifferenceTo(metadata.GetValueOrDefault("identity")) is string clause ? $" ({clause})" : "";
                throw new InvalidInputException($"{path} belongs to a training with other options, architecture or data{difference}; choose another folder, or repeat the options that it began with.");
            }

            using var noGradient = no_grad();
            foreach (var (name, target) in Tensors(furtherTensors))
            {
                if (!tensors.TryGetValue(name, out var saved) || saved.NumberOfElements != target.NumberOfElements || saved.dtype != target.dtype)
                {
                    throw new InvalidInputException($"{path} is damaged: '{name}' is missing or has another size.");
                }

                target.copy_(saved);
            }

            Optimizer.Updates = Number<long>(metadata, "updates", path);
            Images = Number<long>(metadata, "images", path);
            Seconds = Number<double>(metadata, "seconds", path);
            return metadata;
        }
        finally
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }
        }
    }

    /// <summary>Frees weights, moments and average.</summary>
    public void Dispose()
    {
        Optimizer.Dispose();
        Average.Dispose();
        Weights.Dispose();
    }

    private Dictionary<string, Tensor> Tensors(IReadOnlyDictionary<string, Tensor>? further) => new(further ?? new Dictionary<string, Tensor>())
    {
        ["weights"] = Weights,
        ["first_moment"] = Optimizer.FirstMoment,
        ["second_moment"] = Optimizer.SecondMoment,
        ["average"] = Average.Weights,
    };

    private static T Number<T>(Dictionary<string, string> metadata, string name, string path)
        where T : ISpanParsable<T>
        => T.TryParse(metadata.GetValueOrDefault(name), CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new InvalidInputException($"{path} is damaged: its '{name}' is no number.");
}
