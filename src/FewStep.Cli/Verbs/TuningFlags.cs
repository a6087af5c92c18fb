namespace FewStep.Cli.Verbs;

/// <summary>Options of Phase 2, for the verbs that tune.</summary>
internal sealed class TuningFlags(Command command)
{
    private static readonly TuningOptions Default = new();

    private readonly Option<string> _solver = command.Option("--solver",
        "Solver that the tuned model will be sampled with: one evaluation a step, e.g. euler, ipndm:3, deis:3. A sampler file has its own.",
        new EulerSolver().Name, parse: text => SolverCatalog.Find(text).Name);

    private readonly Option<TuningLoss?> _loss = command.Named<TuningLoss?>(
        "--loss",
        "regression (to the ends of the schedule's intervals from along the pre-trained model's path, in the end from where the tuned "
            + "model itself arrives; euler), trajectory (every step to that path), endpoint (the image to its image, through all steps), "
            + "consistency (regression, then to the student's own steps), or denoise (the training loss on the schedule's sigmas; needs "
            + "--data). Left out, regression for euler in one or two steps, else trajectory.",
        null, ("regression", TuningLoss.Regression), ("trajectory", TuningLoss.Trajectory), ("endpoint", TuningLoss.Endpoint),
        ("consistency", TuningLoss.Consistency), ("denoise", TuningLoss.Denoise));

    private readonly Option<LevelWeighting?> _weighting = command.Named<LevelWeighting?>(
        "--weighting", "How the schedule's levels count: state-error (default of trajectory), network-output (default of denoise), "
            + "uniform or convex-combination.", null,
        ("state-error", LevelWeighting.StateError), ("network-output", LevelWeighting.NetworkOutput), ("uniform", LevelWeighting.Uniform),
        ("convex-combination", LevelWeighting.ConvexCombination));

    private readonly Option<int> _updates = command.Option("--updates", "Most updates.", Default.Updates);
    private readonly Option<int> _batch = command.Option("--tune-batch", "Latents or images an update.", Default.Batch);
    private readonly Option<int?> _microBatch = command.Optional<int?>(
        "--micro-batch", "Latents or images in one evaluation of the network: "
            + "less memory, and the same update but for rounding. Left out, all of the batch.");
    private readonly Option<bool?> _checkpoint = command.Optional<bool?>("--checkpoint-activations",
        "Whether blocks of text-to-image U-Nets and transformers are evaluated again in the backward pass: less memory, a third more time. "
            + "Left out, where --lora adapts a network of 100 million weights or more.", "true|false");
    private readonly Option<double> _rate = command.Option(
        "--learning-rate", "Peak learning rate; cosine decay to a hundredth.", Default.LearningRate);
    private readonly Option<double> _ema = command.Option(
        "--ema", "Half-life of the weights' moving average in latents or images.", Default.EmaHalfLifeImages);
    private readonly Option<int> _interval = command.Option(
        "--check-every", "Updates between measurements on held-out data.", Default.EvaluationInterval);
    private readonly Option<int> _patience = command.Option(
        "--patience", "Measurements without a new best after which tuning stops; 0 for never.", Default.Patience);
    private readonly Option<int> _heldOut = command.Option(
        "--held-out", "Held-out latents or images that tuning is judged by.", Default.HeldOutCount);
    private readonly Option<string> _teacher = command.Option(
        "--teacher-solver", "Solver of the teacher.", Default.TeacherSolver, parse: text => SolverCatalog.Find(text).Name);

    private readonly Option<int?> _substeps = command.Optional<int?>("--teacher-substeps",
        "Steps of the teacher between two sigmas of the schedule; left out, 4, and more where that makes fewer than 16 in all.");
    private readonly Option<int> _reuse = command.Option(
        "--teacher-reuse", "How often each path of the teacher is used.", Default.TeacherReuse);

    private readonly Option<string?> _distance = command.Optional<string?>("--distance",
        $"Where the losses that end at images compare them: {ImageEmbeddings.Known}. Left out, encoder.", "distance");

    private readonly Option<double> _energy = command.Option("--energy",
        "How much the energy distance of a batch's images to the teacher's counts beside the distance image by image, in losses that end "
            + "at images: it keeps the contrast and detail that least squares lose. Some 6 with regression; with endpoint from a fitted "
            + "sampler some 200, and batches of some 50.",
        Default.EnergyWeight);

    /// <summary>The solver, where it was named; else null.</summary>
    public ISolver? Solver(ParseResult parsed) => parsed.IsGiven(_solver) ? SolverCatalog.Find(parsed.GetRequiredValue(_solver)) : null;

    /// <summary>The same, or its default.</summary>
    public string SolverName(ParseResult parsed) => parsed.GetRequiredValue(_solver);

    public TuningOptions Read(ParseResult parsed) => new()
    {
        Loss = parsed.GetValue(_loss),
        Weighting = parsed.GetValue(_weighting),
        Updates = parsed.GetValue(_updates),
        Batch = parsed.GetValue(_batch),
        MicroBatch = parsed.GetValue(_microBatch),
        CheckpointActivations = parsed.GetValue(_checkpoint),
        LearningRate = parsed.GetValue(_rate),
        EmaHalfLifeImages = parsed.GetValue(_ema),
        EvaluationInterval = parsed.GetValue(_interval),
        HeldOutCount = parsed.GetValue(_heldOut),
        Patience = parsed.GetValue(_patience),
        TeacherSolver = parsed.GetRequiredValue(_teacher),
        TeacherSubsteps = parsed.GetValue(_substeps),
        TeacherReuse = parsed.GetValue(_reuse),
        Distance = parsed.GetValue(_distance),
        EnergyWeight = parsed.GetValue(_energy),
    };
}
