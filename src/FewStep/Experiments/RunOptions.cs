using FewStep.Fitting;
using FewStep.Tuning;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>What a run does with a model and its data.</summary>
public sealed record RunOptions
{
    /// <summary>The run folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Solver steps N of the schedule to find, 1 to 100; default 2.</summary>
    public int Steps { get; init; } = 2;

    /// <summary>The solver that the samplers step with, which makes one evaluation a step; default <c>euler</c>.</summary>
    public string Solver { get; init; } = "euler";

    /// <summary>Rounds of Phase 1 and Phase 2, 0 (Phase 1 only) to 20; default 1.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Power of the discretization loss, -4 to 4; default 0.</summary>
    public double Power { get; init; } = PowerWeighting.DefaultPower;

    /// <summary>How the solver's weights are fitted on Phase 1's sigmas; its solver is the run's. Null for no fit.</summary>
    public FitOptions? Fit { get; init; } = new();

    /// <summary>How the loss curve is measured; steps, weightings and seed are the run's.</summary>
    public LossCurveOptions Curve { get; init; } = new();

    /// <summary>How the model is tuned; the seed is the run's.</summary>
    public TuningOptions Tuning { get; init; } = new();

    /// <summary>Standard schedules to compare with; the first is the baseline. Default Karras, log-SNR, uniform t and cosine.</summary>
    public IReadOnlyList<string> Baselines { get; init; } = StandardSchedules.Baselines;

    /// <summary>
    /// Solvers of one evaluation a step to compare with on the baseline and on Phase 1's schedule, weights untouched. Default
    /// <c>ipndm:3</c> and <c>unipc:3:thresholding=false</c>, the best without tuning or fitting on the models that ship, the second at two
    /// steps: a change of the solver costs nothing, so tuning has to beat it.
    /// </summary>
    public IReadOnlyList<string> RivalSolvers { get; init; } = [SolverCatalog.Untuned, "unipc:3:thresholding=false"];

    /// <summary>Samples in a seed range of the comparison, 2 or more; default 1,000.</summary>
    public int Samples { get; init; } = 1000;

    /// <summary>Disjoint seed ranges, 1 to 100; default 3.</summary>
    public int Ranges { get; init; } = 3;

    /// <summary>Seed of the first image of the comparison; default 0.</summary>
    public long FirstSeed { get; init; }

    /// <summary>Steps of the fine sampler that the pictures and the table show, the tuning's teacher on the baseline's schedule, 1 to
    /// 1,000; default 16.</summary>
    public int TeacherSteps { get; init; } = 16;

    /// <summary>Images sampled at a time; default 100.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Image seeds in the pictures; default 0 to 9, one of each class where there are ten.</summary>
    public IReadOnlyList<long> ShownSeeds { get; init; } = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

    /// <summary>Seed of the run, 0 or more; default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Name of the data for readers; null for the model's.</summary>
    public string? DataName { get; init; }

    /// <summary>The command line, for the manifest; null where the library was called.</summary>
    public string? CommandLine { get; init; }

    internal void Check()
    {
        new OptionRules("The run cannot start")
            .Require(
                Steps is >= 1 and <= ScheduleSearchRequest.MaximumSteps,
                $"steps must lie between 1 and {ScheduleSearchRequest.MaximumSteps}, not {Steps}")
            .Require(Rounds is >= 0 and <= 20, $"rounds must lie between 0 and 20, not {Rounds}")
            .Require(
                Power is >= -PowerWeighting.LargestPower and <= PowerWeighting.LargestPower,
                $"the power must lie between {-PowerWeighting.LargestPower} and {PowerWeighting.LargestPower}, not {Power}")
            .Require(TeacherSteps is >= 1 and <= 1000, $"the teacher's steps must lie between 1 and 1000, not {TeacherSteps}")
            .Require(Baselines.Count > 0, $"there must be a schedule to compare with")
            .Require(Seed >= 0, $"the seed must be 0 or more, not {Seed}")
            .Require(Tuning.Lora is null, $"a run tunes all weights; tune adapters to its sampler afterwards")
            .Check();
        foreach (string name in Baselines)
            StandardSchedules.Find(name);
        foreach (string solver in RivalSolvers)
            SolverCatalog.Find(solver);
        (Rounds > 0 ? Tuning.For(Steps, SolverCatalog.Find(Solver)) : Tuning).Validate();
        (Fit is null ? null : Fit with { Solver = Solver })?.Checked();
        if (Rounds > 0)
            Tuning.Check(SolverCatalog.Find(Solver));
        Curve.Validate();
    }
}
