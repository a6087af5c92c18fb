using FewStep.Collectives;

namespace FewStep.Tuning;

/// <summary>All that a tuning needs to go on exactly where it stopped: the training's state, the best weights so far, the curve, and the
/// counters of early stopping.</summary>
internal sealed class TuningState : IDisposable
{
    private const string BestName = "best", ProgressName = "tuning";
    private readonly List<TuningPoint> _curve = [];
    private readonly Tensor _best; // this rank's slice

    /// <param name="start">Flat float32 weights to begin at; copied.</param>
    /// <param name="ranks">Who tunes together; null for this process alone. Not disposed.</param>
    public TuningState(Tensor start, TuningOptions options, ICollective? ranks = null)
    {
        using var noGradient = no_grad();
        Training = new TrainingState(start.clone(), options.AdamW, options.EmaHalfLifeImages, ranks) { ComputeType = options.ComputeType };
        using var own = Training.Slices.Own(start);
        _best = own.clone().DetachFromDisposeScope();
    }

    public TrainingState Training { get; }


    public IReadOnlyList<TuningPoint> Curve => _curve;
    public TuningPoint? BestPoint { get; private set; }
    public int Stale { get; private set; }

    /// <summary>Evaluations of former sittings and this one.</summary>
    public TuningEvaluations Evaluations { get; set; } = new(0, 0, 0);

    public int Updates => (int)Training.Updates;

    /// <summary>Sum of the training losses since the last point, and how many they are.</summary>
    public (double Sum, int Count) Losses { get; private set; }

    public bool IsMeasured => _curve.Count > 0 && _curve[^1].Update == Updates;
    public void AddLoss(double loss) => Losses = (Losses.Sum + loss, Losses.Count + 1);

    /// <summary>The averaged weights that were best on held-out data; before the first measurement those it began with. All ranks call it
    /// together.</summary>
    /// <returns>It belongs to the current dispose scope, and is valid until the next point.</returns>
    public Tensor Best() => Training.Slices.Whole(_best);

    /// <summary>The averaged weights as they are now. All ranks call it together.</summary>
    /// <returns>It belongs to the current dispose scope, and is valid until the next update.</returns>
    public Tensor Averaged() => Training.Slices.Whole(Training.Average!.Weights);

    /// <summary>Adds a point for the averaged weights as they are now, and keeps them where they are the best.</summary>
    public TuningPoint AddPoint(double heldOut)
    {
        var point = new TuningPoint(Updates, heldOut, Losses.Count == 0 ? null : Losses.Sum / Losses.Count);
        _curve.Add(point);
        Losses = default;
        if (BestPoint is null || heldOut < BestPoint.HeldOut)
        {
            using var noGradient = no_grad();
            _best.copy_(Training.Average!.Weights);
            (BestPoint, Stale) = (point, 0);
        }
        else
        {
            Stale++;
        }

        return point;
    }

    public void Save(string path, TrainingIdentity identity)
    {
        var progress = new Progress([.. _curve], Stale, Losses.Sum, Losses.Count, Evaluations, BestPoint?.Update);
        Training.Save(
            path, identity, new Dictionary<string, Tensor> { [BestName] = _best },
            new Dictionary<string, string> { [ProgressName] = JsonSerializer.Serialize(progress, JsonFile.Options) });
    }

    public void Load(string path, TrainingIdentity identity)
    {
        var metadata = Training.Load(path, identity, new Dictionary<string, Tensor> { [BestName] = _best });
        Progress progress;
        try
        {
            progress = JsonSerializer.Deserialize<Progress>(metadata.GetValueOrDefault(ProgressName) ?? "", JsonFile.Options)
                ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(
                $"{path} is damaged: what it says about the tuning cannot be read. Start again in a new folder.", e);
        }

        if (progress.Curve.Contains(null!))
            throw Contradiction(path);
        bool increasing = progress.Curve.Zip(progress.Curve.Skip(1)).All(p => p.First.Update < p.Second.Update);
        var best = progress.Curve.FirstOrDefault(p => p.Update == progress.BestUpdate);
        if (!increasing || progress.Curve.Any(p => p.Update < 0 || p.Update > Updates) || best is null != progress.Curve.Count is 0
            || progress.Stale < 0 || progress.LossCount < 0)
        {
            throw Contradiction(path);
        }

        _curve.Clear();
        _curve.AddRange(progress.Curve);
        (BestPoint, Stale, Losses, Evaluations) = (best, progress.Stale, (progress.LossSum, progress.LossCount), progress.Evaluations);
    }

    public void Dispose()
    {
        Training.Dispose();
        _best.Dispose();
    }

    private static InvalidInputException Contradiction(string path)
        => new($"{path} is damaged: its tuning curve contradicts itself. Start again in a new folder.");

    private sealed record Progress(
        List<TuningPoint> Curve, int Stale, double LossSum, int LossCount, TuningEvaluations Evaluations, int? BestUpdate = null);
}
