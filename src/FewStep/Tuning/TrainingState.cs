using FewStep.Checkpoints;
using FewStep.Collectives;

namespace FewStep.Tuning;

/// <summary>All that a training needs to go on exactly where it stopped: weights, moments, average, counters. Of several ranks each has all
/// weights, and a slice of the rest.</summary>
internal sealed class TrainingState : IDisposable
{
    private const string Kind = "fewstep-training-state-1";
    private const string UpdatesKey = "updates", ImagesKey = "images", SecondsKey = "seconds", ComputedKey = "computed_on";

    private readonly Tensor _own;

    /// <param name="weights">Flat float32 weights, the same on all ranks; owned by this object from now on.</param>
    /// <param name="ranks">Who trains together; null for this process alone. Not disposed.</param>
    public TrainingState(Tensor weights, AdamWOptions adamW, double? emaHalfLife, ICollective? ranks = null)
    {
        Weights = weights.DetachFromDisposeScope();
        Slices = new VectorSlices(ranks ?? SingleProcess.Instance, weights.NumberOfElements);
        _own = Slices.Own(weights).DetachFromDisposeScope();
        Optimizer = new AdamW(_own, adamW, Ranks);
        Average = emaHalfLife is { } halfLife ? new ExponentialMovingAverage(_own, halfLife) : null;
    }

    public ICollective Ranks => Slices.Ranks;

    /// <summary>What of the vectors is this rank's.</summary>
    public VectorSlices Slices { get; }

    public Tensor Weights { get; }

    /// <summary>Updates this rank's slice of the weights.</summary>
    public AdamW Optimizer { get; }

    /// <summary>This rank's slice of the averaged weights: the model that is used, where there is an average.</summary>
    public ExponentialMovingAverage? Average { get; }

    public long Updates => Optimizer.Updates;
    public long Images { get; set; }

    /// <summary>Wall-clock seconds of training so far, over all sittings.</summary>
    public double Seconds { get; set; }

    /// <summary>Number format that the network computes in, for checkpoints.</summary>
    public ScalarType ComputeType { get; set; } = ScalarType.Float32;

    /// <summary>What to say where a checkpoint was loaded that another device, number of threads or number format made; null where there
    /// is nothing to say.</summary>
    public string? Remark { get; private set; }

    /// <summary>Makes one update with the ranks' gradients.</summary>
    /// <param name="gradient">What this rank adds to the gradient; changed.</param>
    /// <param name="images">Images of the update, on all ranks.</param>
    /// <returns>As <see cref="AdamW.Step"/>.</returns>
    public Tensor Update(Tensor gradient, double learningRate, int images)
    {
        var norm = Optimizer.Step(Slices.Sum(gradient), learningRate);
        Slices.Complete(Weights);
        Images += images;
        Average?.Update(_own, Images, images);
        return norm;
    }

    /// <summary>Writes a checkpoint, which any number of ranks can read; the first rank does, with the slices of all.</summary>
    /// <param name="furtherTensors">What else belongs to the state, this rank's slices under names of their own; null for nothing.</param>
    public void Save(string path, TrainingIdentity identity, IReadOnlyDictionary<string, Tensor>? furtherTensors = null,
        IReadOnlyDictionary<string, string>? furtherTexts = null)
    {
        var texts = new Dictionary<string, string>(furtherTexts ?? new Dictionary<string, string>())
        {
            [UpdatesKey] = Optimizer.Updates.ToString(CultureInfo.InvariantCulture),
            [ImagesKey] = Images.ToString(CultureInfo.InvariantCulture),
            [SecondsKey] = Seconds.ToString("R", CultureInfo.InvariantCulture),
            [ComputedKey] = ComputedOn,
        };
        var contents = Tensors(furtherTensors).OrderBy(t => t.Key, StringComparer.Ordinal)
            .Select(t => new StoredTensor(t.Key, [Weights.NumberOfElements], t.Value.dtype, () => Slices.Whole(t.Value))).ToList();
        if (Ranks.IsFirst())
        {
            TrainingCheckpoint.Write(path, Kind, identity, contents, texts);
            return;
        }

        foreach (var content in contents)
        {
            using var scope = NewDisposeScope();
            content.Make();
        }
    }

    /// <summary>Reads a checkpoint, be it of another number of ranks.</summary>
    /// <param name="furtherTensors">As <see cref="Save"/> takes them; they are filled.</param>
    /// <returns>The checkpoint's texts.</returns>
    public IReadOnlyDictionary<string, string> Load(
        string path, TrainingIdentity identity, IReadOnlyDictionary<string, Tensor>? furtherTensors = null)
    {
        var texts = TrainingCheckpoint.Read(path, Kind, identity, Tensors(furtherTensors), Slices);
        Slices.Complete(Weights);
        Optimizer.Updates = TrainingCheckpoint.Number<long>(texts, UpdatesKey, path);
        Images = TrainingCheckpoint.Number<long>(texts, ImagesKey, path);
        Seconds = TrainingCheckpoint.Number<double>(texts, SecondsKey, path);
        Remark = texts.GetValueOrDefault(ComputedKey) is { } before && before != ComputedOn
            ? $"The checkpoint was made on {Printable.Line(before)}; it goes on on {ComputedOn}, which sums in another order: the result "
                + "will not be that of an uninterrupted training to the last bit."
            : null;
        return texts;
    }

    // What decides how sums are rounded.
    private string ComputedOn => InvariantText.Of(
        $"{DeviceChoice.Describe(Weights.device)} with {TorchLibrary.ThreadsInUse()} threads in {Platform.ComputeType.Name(ComputeType)}")
        + (Ranks.Ranks == 1 ? "" : InvariantText.Of($" on {Ranks.Ranks} ranks"));

    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
        _own.Dispose();
        Weights.Dispose();
    }

    private Dictionary<string, Tensor> Tensors(IReadOnlyDictionary<string, Tensor>? further)
    {
        var tensors = new Dictionary<string, Tensor>(further ?? new Dictionary<string, Tensor>())
        {
            ["weights"] = _own,
            ["first_moment"] = Optimizer.FirstMoment,
            ["second_moment"] = Optimizer.SecondMoment,
        };
        if (Average is not null)
            tensors["average"] = Average.Weights;
        return tensors;
    }
}
