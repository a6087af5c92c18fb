using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>How a <see cref="TunedScheduleOptimizer"/> searches.</summary>
internal sealed record TunedScheduleOptions
{
    /// <summary>The short tuning that every candidate gets; default 100 updates, measured at the end only. Whatever its loss, distance and
    /// energy, candidates are tuned by trajectory, on values of pixels.</summary>
    public TuningOptions Tuning { get; init; } = new()
    { Updates = 100, EvaluationInterval = 100, HeldOutCount = 64, SnapshotFractions = [] };

    /// <summary>The solver that the tuned model will be sampled with; default Euler's.</summary>
    public ISolver Solver { get; init; } = new EulerSolver();

    /// <summary>Most candidates for one number of steps, the starts among them; 1 to 10,000, default 24.</summary>
    public int Candidates { get; init; } = 24;

    /// <summary>Distance in ln sigma by which an inner sigma is first moved, above 0 up to 5; default 0.6. It is halved when no move
    /// helps.</summary>
    public double FirstMove { get; init; } = 0.6;

    /// <summary>The search ends when moves get smaller than this, above 0; default 0.1.</summary>
    public double SmallestMove { get; init; } = 0.1;

    /// <summary>Latents that candidates are judged by, the same for all and used for nothing else; 2 to 100,000, default 256.</summary>
    public int JudgedLatents { get; init; } = 256;

    /// <summary>Heun steps over Karras' schedule of the fine path that students are judged against, 1 to 1,000; default 18.</summary>
    public int JudgeSteps { get; init; } = 18;

    /// <summary>Schedules to begin at; default Karras, log-SNR and cosine. More, such as Phase 1's, are given by the caller.</summary>
    public IReadOnlyList<StandardSchedule> Starts { get; init; } =
        [StandardSchedule.Karras(), StandardSchedule.LogSnr(), StandardSchedules.Find("cosine")];

    /// <summary>Further schedules to begin at; those of another number of steps than is searched are left out.</summary>
    public IReadOnlyList<SamplingSchedule> FurtherStarts { get; init; } = [];

    public void Validate()
    {
        new OptionRules("The search over tunings cannot start")
            .Require(Candidates is >= 1 and <= 10_000, $"candidates must lie between 1 and 10000, not {Candidates}")
            .Require(FirstMove is > 0 and <= 5, $"the first move must lie above 0 and up to 5 (in ln sigma), not {FirstMove}")
            .Require(SmallestMove > 0 && SmallestMove <= FirstMove,
                $"the smallest move must lie above 0 and not above the first ({FirstMove}), not {SmallestMove}")
            .Require(JudgedLatents is >= 2 and <= 100_000, $"the latents to judge by must lie between 2 and 100000, not {JudgedLatents}")
            .Require(JudgeSteps is >= 1 and <= 1000, $"the fine path's steps must lie between 1 and 1000, not {JudgeSteps}")
            .Require(Starts.Count + FurtherStarts.Count > 0, $"there must be a schedule to begin at")
            .Check();
        Tuning.Validate();
        Tuning.Check(Solver);
    }
}
