using System.CommandLine;
using FewStep.Tuning;
using FewStep.Solvers;

namespace FewStep.Cli.Verbs;

/// <summary>Options of Phase 2, for the verbs that tune.</summary>
internal sealed class TuningFlags
{
    private static readonly TunerOptions Default = new();

    private readonly Option<TuningLoss> _loss = SharedOptions.Named(
        "--loss",
        "trajectory (the pre-trained model's own path) or denoise (the training loss on the schedule's sigmas; needs --data).",
        TuningLoss.Trajectory,
        ("trajectory", TuningLoss.Trajectory), ("denoise", TuningLoss.Denoise));

    private readonly Option<string> _solver = new("--solver")
    {
        Description = "Solver that the tuned model will be sampled with: one evaluation a step, e.g. euler, ipndm:3, deis:3. A sampler "
            + "file has its own.",
        DefaultValueFactory = _ => Default.Solver,
        CustomParser = result => SharedOptions.Parse(result, text => SolverCatalog.Find(text).Name),
    };

    private readonly Option<LevelWeighting?> _weighting = SharedOptions.Named<LevelWeighting?>(
        "--weighting",
        "How the schedule's levels count: state-error (default of trajectory), network-output (default of denoise), uniform or "
            + "convex-combination.",
        null,
        ("state-error", LevelWeighting.StateError), ("network-output", LevelWeighting.NetworkOutput), ("uniform", LevelWeighting.Uniform),
        ("convex-combination", LevelWeighting.ConvexCombination));

    private readonly Option<int> _updates = new("--updates") { Description = "Most updates.", DefaultValueFactory = _ => Default.Updates };
    private readonly Option<int> _batch = new("--tune-batch")
    { Description = "Latents or images an update.", DefaultValueFactory = _ => Default.Batch };
    private readonly Option<int?> _microBatch = new("--micro-batch")
    {
        Description = "Latents or images in one evaluation of the network: less memory, and "
            + "the same update but for rounding. Left out, all of the batch."
    };
    private readonly Option<double> _rate = new("--learning-rate")
    { Description = "Peak learning rate; cosine decay to a hundredth.", DefaultValueFactory = _ => Default.LearningRate };
    private readonly Option<double> _ema = new("--ema")
    {
        Description = "Half-life of the weights' moving average in latents or images.",
        DefaultValueFactory = _ => Default.EmaHalfLifeImages
    };
    private readonly Option<int> _interval = new("--check-every")
    { Description = "Updates between measurements on held-out data.", DefaultValueFactory = _ => Default.EvaluationInterval };
    private readonly Option<int> _patience = new("--patience")
    { Description = "Measurements without a new best after which tuning stops; 0 for never.", DefaultValueFactory = _ => Default.Patience };
    private readonly Option<int> _heldOut = new("--held-out")
    { Description = "Held-out latents or images that tuning is judged by.", DefaultValueFactory = _ => Default.HeldOutCount };
    private readonly Option<string> _teacher = new("--teacher-solver")
    {
        Description = "Solver of the teacher (trajectory).",
        DefaultValueFactory = _ => Default.TeacherSolver,
        CustomParser = result => SharedOptions.Parse(result, text => SolverCatalog.Find(text).Name),
    };

    private readonly Option<int> _substeps = new("--teacher-substeps")
    {
        Description = "Steps of the teacher between two sigmas of the schedule (trajectory).",
        DefaultValueFactory = _ => Default.TeacherSubsteps
    };
    private readonly Option<int> _reuse = new("--teacher-reuse")
    { Description = "How often each path of the teacher is used (trajectory).", DefaultValueFactory = _ => Default.TeacherReuse };

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

    public TunerOptions Read(ParseResult parsed) => new()
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
