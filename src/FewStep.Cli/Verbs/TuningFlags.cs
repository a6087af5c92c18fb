namespace FewStep.Cli.Verbs;

/// <summary>Options of Phase 2, for the verbs that tune.</summary>
internal sealed class TuningFlags
{
    private static readonly TuningOptions Default = new();

    private readonly Option<TuningLoss> _loss = Flag.Named(
        "--loss",
        "trajectory (the pre-trained model's own path) or denoise (the training loss on the schedule's sigmas; needs --data).",
        TuningLoss.Trajectory,
        ("trajectory", TuningLoss.Trajectory), ("denoise", TuningLoss.Denoise));

    private readonly Option<string> _solver = Flag.Of("--solver",
        "Solver that the tuned model will be sampled with: one evaluation a step, e.g. euler, ipndm:3, deis:3. A sampler file has its own.",
        Default.Solver, parse: text => SolverCatalog.Find(text).Name);

    private readonly Option<LevelWeighting?> _weighting = Flag.Named<LevelWeighting?>(
        "--weighting",
        "How the schedule's levels count: state-error (default of trajectory), network-output (default of denoise), uniform or "
            + "convex-combination.",
        null,
        ("state-error", LevelWeighting.StateError), ("network-output", LevelWeighting.NetworkOutput), ("uniform", LevelWeighting.Uniform),
        ("convex-combination", LevelWeighting.ConvexCombination));

    private readonly Option<int> _updates = Flag.Of("--updates", "Most updates.", Default.Updates);
    private readonly Option<int> _batch = Flag.Of("--tune-batch", "Latents or images an update.", Default.Batch);
    private readonly Option<int?> _microBatch = Flag.Optional<int?>("--micro-batch", "Latents or images in one evaluation of the network: "
        + "less memory, and the same update but for rounding. Left out, all of the batch.");
    private readonly Option<double> _rate = Flag.Of(
        "--learning-rate", "Peak learning rate; cosine decay to a hundredth.", Default.LearningRate);
    private readonly Option<double> _ema = Flag.Of(
        "--ema", "Half-life of the weights' moving average in latents or images.", Default.EmaHalfLifeImages);
    private readonly Option<int> _interval = Flag.Of(
        "--check-every", "Updates between measurements on held-out data.", Default.EvaluationInterval);
    private readonly Option<int> _patience = Flag.Of(
        "--patience", "Measurements without a new best after which tuning stops; 0 for never.", Default.Patience);
    private readonly Option<int> _heldOut = Flag.Of(
        "--held-out", "Held-out latents or images that tuning is judged by.", Default.HeldOutCount);
    private readonly Option<string> _teacher = Flag.Of(
        "--teacher-solver", "Solver of the teacher (trajectory).", Default.TeacherSolver, parse: text => SolverCatalog.Find(text).Name);

    private readonly Option<int> _substeps = Flag.Of(
        "--teacher-substeps", "Steps of the teacher between two sigmas of the schedule (trajectory).", Default.TeacherSubsteps);
    private readonly Option<int> _reuse = Flag.Of(
        "--teacher-reuse", "How often each path of the teacher is used (trajectory).", Default.TeacherReuse);

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            _solver,
            _loss,
            _weighting,
            _updates,
            _batch,
            _microBatch,
            _rate,
            _ema,
            _interval,
            _patience,
            _heldOut,
            _teacher,
            _substeps,
            _reuse
        })
        {
            command.Add(option);
        }
    }

    /// <summary>The solver, where it was named; else null.</summary>
    public ISolver? Solver(ParseResult parsed)
        => parsed.GetResult(_solver) is { Implicit: false } ? SolverCatalog.Find(parsed.GetRequiredValue(_solver)) : null;

    public TuningOptions Read(ParseResult parsed) => new()
    {
        Solver = parsed.GetRequiredValue(_solver),
        Loss = parsed.GetValue(_loss),
        Weighting = parsed.GetValue(_weighting),
        Updates = parsed.GetValue(_updates),
        Batch = parsed.GetValue(_batch),
        MicroBatch = parsed.GetValue(_microBatch),
        LearningRate = parsed.GetValue(_rate),
        EmaHalfLifeImages = parsed.GetValue(_ema),
        EvaluationInterval = parsed.GetValue(_interval),
        HeldOutCount = parsed.GetValue(_heldOut),
        Patience = parsed.GetValue(_patience),
        TeacherSolver = parsed.GetRequiredValue(_teacher),
        TeacherSubsteps = parsed.GetValue(_substeps),
        TeacherReuse = parsed.GetValue(_reuse),
    };
}
