namespace FewStep.Tuning;

/// <summary>All that a training needs to go on exactly where it stopped: weights, moments, average, counters.</summary>
/// <param name="weights">Flat float32 weights; owned by this object from now on.</param>
internal sealed class TrainingState(Tensor weights, AdamWOptions adamW, double? emaHalfLife) : IDisposable
{
    private const string Kind = "fewstep-training-state-1";
    private const string UpdatesKey = "updates", ImagesKey = "images", SecondsKey = "seconds", ComputedKey = "computed_on";

    public Tensor Weights { get; } = weights.DetachFromDisposeScope();
    public AdamW Optimizer { get; } = new(weights, adamW);

    /// <summary>The averaged weights: the model that is used, where there is an average.</summary>
    public ExponentialMovingAverage? Average { get; }
        = emaHalfLife is { } halfLife ? new ExponentialMovingAverage(weights, halfLife) : null;

    public long Updates => Optimizer.Updates;
    public long Images { get; set; }

    /// <summary>Wall-clock seconds of training so far, over all sittings.</summary>
    public double Seconds { get; set; }

    /// <summary>Number format that the network computes in, for checkpoints.</summary>
    public ScalarType ComputeType { get; set; } = ScalarType.Float32;

    /// <summary>What to say where a checkpoint was loaded that another device, number of threads or number format made; null where there
    /// is nothing to say.</summary>
    public string? Remark { get; private set; }

    /// <param name="furtherTensors">What else belongs to the state, under names of its own; null for nothing.</param>
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
        TrainingCheckpoint.Write(path, Kind, identity, Tensors(furtherTensors), texts);
    }

    public IReadOnlyDictionary<string, string> Load(
        string path, TrainingIdentity identity, IReadOnlyDictionary<string, Tensor>? furtherTensors = null)
    {
        var texts = TrainingCheckpoint.Read(path, Kind, identity, Tensors(furtherTensors));
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
        $"{DeviceChoice.Describe(Weights.device)} with {get_num_threads()} threads in {Platform.ComputeType.Name(ComputeType)}");

    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
        Weights.Dispose();
    }

    private Dictionary<string, Tensor> Tensors(IReadOnlyDictionary<string, Tensor>? further)
    {
        var tensors = new Dictionary<string, Tensor>(further ?? new Dictionary<string, Tensor>())
        {
            ["weights"] = Weights,
            ["first_moment"] = Optimizer.FirstMoment,
            ["second_moment"] = Optimizer.SecondMoment,
        };
        if (Average is not null)
            tensors["average"] = Average.Weights;
        return tensors;
    }
}
