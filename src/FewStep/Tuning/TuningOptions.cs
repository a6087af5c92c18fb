using FewStep.Networks;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>How a model is tuned to a sampling schedule.</summary>
public sealed record TuningOptions
{
    private const int LeastTeacherSteps = 16;
    private const long LargeNetwork = 100_000_000; // weights

    /// <summary>What is minimised; null (default) for <see cref="TuningLoss.Regression"/> where a sampler takes one or two steps of
    /// <c>euler</c>, and <see cref="TuningLoss.Trajectory"/> elsewhere, which were best on the embedded model.</summary>
    public TuningLoss? Loss { get; init; }

    /// <summary>Where the losses that end at images compare them: <c>pixels</c>, <c>encoder</c> (pixels and the model's own activations at
    /// noise level 0.3; <c>encoder:0.1</c> at another), or <c>classifier:FOLDER</c>. Null (default) for the encoder; the losses trajectory
    /// and denoise compare states, always by pixels.</summary>
    public string? Distance { get; init; }

    /// <summary>
    /// How much the energy distance of a batch's images to the teacher's counts beside the distance image by image, 0 (default) or more, in
    /// the losses that end at images. Least squares shrink what they cannot predict, and images lose contrast and detail though each comes
    /// nearer to its own; an energy distance is 0 only for images that are distributed alike. Compared are means and deviations over the
    /// image of the last activations of <see cref="Distance"/>, which cannot be <c>pixels</c>. Some 6 was best with regression and batches
    /// of 16, some 200 with endpoint from a fitted sampler and batches of 48, on the embedded model; on CIFAR-10 it cost at batches of 16.
    /// </summary>
    public double EnergyWeight { get; init; }

    /// <summary>How the levels count; null (default) for <see cref="LevelWeighting.StateError"/> with the trajectory loss and
    /// <see cref="LevelWeighting.NetworkOutput"/> with the denoising loss.</summary>
    public LevelWeighting? Weighting { get; init; }

    /// <summary>Most updates, 1 to 10,000,000; default 250. An update takes one batch through all levels of the schedule.</summary>
    public int Updates { get; init; } = 250;

    /// <summary>Latents or images an update, 1 to 65,536; default 16: at equal cost, many small updates go further than few large
    /// ones.</summary>
    public int Batch { get; init; } = 16;

    /// <summary>
    /// Latents or images in one evaluation of the network, 1 to 65,536; null (default) for all of <see cref="Batch"/>. An update then sums
    /// the gradients of its parts, which is the same update but for rounding, in memory that grows with this number in place of the batch.
    /// The teacher's paths and the held-out measurement keep to it too. With <see cref="EnergyWeight"/> the images are made once more.
    /// </summary>
    public int? MicroBatch { get; init; }

    /// <summary>Peak learning rate, above 0; default 4e-4. It decays by a cosine to a hundredth.</summary>
    public double LearningRate { get; init; } = 4e-4;

    /// <summary>Updates of linear warm-up, 0 or more and below <see cref="Updates"/>; null (default) for a twentieth of the
    /// updates.</summary>
    public int? WarmUpUpdates { get; init; }

    /// <summary>Half-life of the weights' moving average in latents or images, above 0; default 1,000, and never more than a twentieth of
    /// those seen so far.</summary>
    public double EmaHalfLifeImages { get; init; } = 1000;

    /// <summary>Constants of the optimiser, the norm that gradients are clipped to among them.</summary>
    public AdamWOptions AdamW { get; init; } = new();

    /// <summary>Updates between measurements of the held-out metric, at least 1; default 50. The last update and the snapshots are measured
    /// too.</summary>
    public int EvaluationInterval { get; init; } = 50;

    /// <summary>Held-out latents or images, 1 to 1,000,000; default 256.</summary>
    public int HeldOutCount { get; init; } = 256;

    /// <summary>Measurements in a row without a new best after which the tuning stops; default 10, 0 for never.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>Fractions of <see cref="Updates"/>, above 0 up to 1, at which the averaged weights are handed out; default a quarter, half
    /// and all.</summary>
    public IReadOnlyList<double> SnapshotFractions { get; init; } = [0.25, 0.5, 1];

    /// <summary>
    /// The teacher's solver, as <see cref="SolverCatalog.Find"/> takes it; default <c>ipndm:3</c>, which at equal
    /// evaluations ends several times nearer to the exact path than Heun's method.
    /// </summary>
    public string TeacherSolver { get; init; } = "ipndm:3";

    /// <summary>The teacher's steps between two sigmas of the schedule, 1 to 1,000; null (default) for 4, and more where there are fewer
    /// than 4 intervals, so that a path has 16.</summary>
    public int? TeacherSubsteps { get; init; }

    /// <summary>How often each path of the teacher is used, 1 to 10,000; default 4. Its evaluations are spread over
    /// as many updates.</summary>
    public int TeacherReuse { get; init; } = 4;

    /// <summary>Batches of paths made at a time and shuffled together, 1 to 10,000; default 8. It bounds memory,
    /// and the work repeated on resuming.</summary>
    public int TeacherBatches { get; init; } = 8;

    /// <summary>Probability of leaving out the class label, so that the model keeps its unconditional half; 0 to 1, default 0.1. Ignored by
    /// models without classes.</summary>
    public double LabelDropout { get; init; } = 0.1;

    /// <summary>Low-rank adapters that are trained in place of all weights; null (default) for all weights.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>Whether the network's blocks are evaluated again in the backward pass, in place of keeping what it needs: the same update
    /// in less memory and a third more time. For text-to-image U-Nets and transformers; null (default) for where a LoRA adapts a network of
    /// 100 million weights or more.</summary>
    public bool? CheckpointActivations { get; init; }

    /// <summary>Seed of everything random in a tuning, 0 or more; default 0. The held-out latents do not depend on it, so that runs
    /// compare.</summary>
    public long Seed { get; init; }

    /// <summary>Name of the sampler's solver, for what is stored.</summary>
    [JsonInclude]
    internal string Solver { get; init; } = "euler";

    /// <summary>Type in which the network computes, which is the model's own; master weights, losses and states are float32.</summary>
    [JsonInclude]
    internal ScalarType ComputeType { get; init; } = ScalarType.Float32;

    /// <summary>Latents or images in one evaluation of the network.</summary>
    internal int EvaluationBatch => Math.Min(Batch, MicroBatch ?? Batch);

    internal LevelWeighting LevelWeighting
        => Weighting ?? (Loss == TuningLoss.Denoise ? LevelWeighting.NetworkOutput : LevelWeighting.StateError);

    /// <summary>Where images are compared.</summary>
    internal string ImageDistance => Distance ?? (ComparesImages ? "encoder" : "pixels");

    /// <summary>The options with the loss that a sampler is tuned by.</summary>
    internal TuningOptions For(int steps, ISolver solver) => this with
    { Loss = Loss ?? (steps <= 2 && solver is EulerSolver ? TuningLoss.Regression : TuningLoss.Trajectory) };

    /// <summary>Whether the loss is about Euler's steps to the ends of the schedule's intervals.</summary>
    internal bool StepsByEuler => Loss is TuningLoss.Regression or TuningLoss.Consistency;

    private bool ComparesImages => StepsByEuler || Loss == TuningLoss.Endpoint;

    internal int WarmUp => WarmUpUpdates ?? Updates / 20;

    /// <summary>The updates of the snapshots, in order.</summary>
    internal int[] SnapshotUpdates => [.. SnapshotFractions.Select(f => Math.Max(1, (int)Math.Round(f * Updates))).Distinct().Order()];

    /// <summary>Checks all values at once.</summary>
    /// <exception cref="InvalidInputException">Values break their rules; the message names them all.</exception>
    public void Validate()
    {
        SolverCatalog.Find(TeacherSolver);
        var rules = new OptionRules("The tuning options are invalid");
        rules.Require(Loss is null || Enum.IsDefined(Loss.Value), $"the loss {(int?)Loss} is unknown");
        rules.Require(Enum.IsDefined(LevelWeighting), $"the weighting {(int)LevelWeighting} is unknown");
        rules.Require(Distance is null || Loss is null || ComparesImages,
            $"the loss {Loss.ToString()!.ToLowerInvariant()} compares no images; leave the distance {Distance} out");
        rules.Require(EnergyWeight is >= 0 and <= 1e6,
            $"the energy weight must be 0 to 1E+6, not {EnergyWeight}");
        rules.Require(EnergyWeight == 0 || Loss is null || ComparesImages,
            $"the loss {Loss.ToString()!.ToLowerInvariant()} compares no images, so there is no energy distance; leave it out");
        rules.Require(EnergyWeight == 0 || Distance != "pixels",
            $"an energy distance is of activations; leave the distance {Distance} out");
        rules.Require(EnergyWeight == 0 || (Batch >= 2 && HeldOutCount >= 2),
            $"an energy distance is of 2 images or more, in a batch (now {Batch}) and held out (now {HeldOutCount})");
        rules.Require(Updates is >= 1 and <= 10_000_000, $"updates must lie between 1 and 10000000, not {Updates}");
        rules.Require(Batch is >= 1 and <= 65536, $"the batch must lie between 1 and 65536, not {Batch}");
        rules.Require(MicroBatch is null or (>= 1 and <= 65536), $"the micro-batch must lie between 1 and 65536, not {MicroBatch}");
        rules.Require(LearningRate is > 0 and <= 1e30, $"the learning rate must be above 0, up to 1E+30, not {LearningRate}");
        rules.Require(WarmUpUpdates is null || (WarmUpUpdates >= 0 && WarmUpUpdates < Updates),
            $"the warm-up must be 0 or more updates and fewer than all {Updates}, not {WarmUpUpdates}");
        rules.Require(EmaHalfLifeImages > 0 && double.IsFinite(EmaHalfLifeImages),
            $"the half-life of the moving average must be above 0, not {EmaHalfLifeImages}");
        rules.Require(AdamW.ClipNorm > 0, $"the norm that gradients are clipped to must be above 0, not {AdamW.ClipNorm}");
        rules.Require(AdamW.Beta1 is >= 0 and < 1 && AdamW.Beta2 is >= 0 and < 1,
            $"the decays of the moments must lie in [0, 1), not {AdamW.Beta1} and {AdamW.Beta2}");
        rules.Require(AdamW.Epsilon > 0 && AdamW.WeightDecay >= 0,
            $"the optimiser's epsilon must be above 0 and its weight decay 0 or more, not {AdamW.Epsilon} and {AdamW.WeightDecay}");
        rules.Require(EvaluationInterval >= 1, $"the interval between evaluations must be at least 1 update, not {EvaluationInterval}");
        rules.Require(HeldOutCount is >= 1 and <= 1_000_000, $"the held-out count must lie between 1 and 1000000, not {HeldOutCount}");
        rules.Require(Patience >= 0, $"the patience must be 0 (never stop early) or more, not {Patience}");
        rules.Require(SnapshotFractions.Count <= 1000 && SnapshotFractions.All(f => f is > 0 and <= 1),
            $"snapshot fractions must lie above 0 up to 1");
        rules.Require(
            TeacherSubsteps is null or (>= 1 and <= 1000), $"the teacher's substeps must lie between 1 and 1000, not {TeacherSubsteps}");
        rules.Require(
            TeacherReuse is >= 1 and <= 10_000, $"the reuse of the teacher's paths must lie between 1 and 10000, not {TeacherReuse}");
        rules.Require(TeacherBatches is >= 1 and <= 10_000, $"the teacher's batches must lie between 1 and 10000, not {TeacherBatches}");
        rules.Require(LabelDropout is >= 0 and <= 1, $"the label dropout must lie between 0 and 1, not {LabelDropout}");
        rules.Require(Seed >= 0, $"the seed must be at least 0, not {Seed}");
        Lora?.Validate(rules);
        rules.Check();
    }

    /// <summary>Refuses a solver that a model cannot be tuned for.</summary>
    internal void Check(ISolver solver) => new OptionRules("The tuning options are invalid")
        .Require(solver.EvaluationsPerStep == 1 && !solver.ThresholdsDenoised && !solver.AddsNoise,
            $"a model is tuned for solvers that make one evaluation a step, add no noise and do not limit its output (thresholding=false), "
            + $"not for {solver.Name}")
        .Require(!StepsByEuler || solver is EulerSolver,
            $"the loss {Loss.ToString()!.ToLowerInvariant()} is for the solver euler, not for {solver.Name}")
        .Check();

    /// <summary>What of a model is trained.</summary>
    /// <exception cref="InvalidInputException">Its network does not take what is asked for.</exception>
    internal Trainable Trained(NetworkDenoiser model)
    {
        if (CheckpointActivations == true && !model.Network.RecomputesBlocks)
        {
            throw new InvalidInputException("Activation checkpointing is for text-to-image U-Nets and transformers; leave it out. A "
                + "smaller micro-batch saves memory too.");
        }

        var adapters = Lora is null ? null : new LoraAdapters(model.Layout, Lora.Rank, Lora.UsedAlpha, Lora.UsedLayers);
        return new(model, adapters, CheckpointActivations ?? (adapters is not null && model.Layout.Count >= LargeNetwork));
    }

    /// <summary>The teacher of a student on a schedule.</summary>
    internal TeacherPath Teacher(IDenoiser denoiser, SamplingSchedule schedule)
        => new(denoiser, schedule, SolverCatalog.Find(TeacherSolver), SubstepsFor(schedule.Steps));

    /// <summary>The teacher's steps between two sigmas of a schedule of so many steps.</summary>
    internal int SubstepsFor(int steps) => TeacherSubsteps ?? Math.Max(4, (LeastTeacherSteps + steps - 1) / steps);
}
