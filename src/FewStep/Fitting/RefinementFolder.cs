using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>Where refinements under way are kept until their results are complete.</summary>
/// <param name="folder">The results' own.</param>
internal sealed class RefinementFolder(string folder)
{
    private const int Version = 1; // raised when a refinement, or what it makes small, becomes another
    private readonly HashSet<string> _paths = [];

    /// <summary>The file of one refinement. Its name says what it is of, so one of other options, samplers or models is never gone on
    /// with.</summary>
    /// <param name="identity">What tells it from others: model, options, seeds, where it starts.</param>
    public RefinementFile Open(string identity)
    {
        string path = Path.Combine(folder, $"refining-{Sha256.Of(InvariantText.Of($"{Version} {identity}"))[..16]}.json");
        _paths.Add(path);
        return new RefinementFile(path);
    }

    /// <summary>Deletes those that were opened.</summary>
    public void Delete()
    {
        foreach (string path in _paths)
            File.Delete(path);
    }
}

/// <summary>The file of a refinement under way, so that an interrupted one goes on where it was.</summary>
internal sealed class RefinementFile(string path)
{
    /// <summary>How far it is; null where it has not begun.</summary>
    /// <param name="solver">The base of the fitted solver.</param>
    /// <param name="start">The schedule that it began with.</param>
    public RefinementState? Read(ISolver solver, SamplingSchedule start)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonFile.Read<Content>(path).State(solver, start);
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"A refinement cannot go on: {e.Message} Delete {path} to have it done again.", e);
        }
    }

    public void Write(RefinementState state) => JsonFile.Write(path, Content.Of(state));

    private sealed record Content
    {
        public required double[] Sigmas { get; init; }
        public required ImmutableArray<StepCorrection> Corrections { get; init; }
        public required int Iterations { get; init; }
        public required double FittedBefore { get; init; }
        public required double HeldOutBefore { get; init; }
        public required double FittedAfter { get; init; }
        public required double HeldOutAfter { get; init; }
        public required double Damping { get; init; }
        public required bool IsFinished { get; init; }
        public required long Evaluations { get; init; }
        public required double Seconds { get; init; }

        public static Content Of(RefinementState state) => new()
        {
            Sigmas = [.. state.Found.Schedule.Sigmas],
            Corrections = state.Found.Solver.Corrections,
            Iterations = state.Found.Iterations,
            FittedBefore = state.Found.Before.Fitted,
            HeldOutBefore = state.Found.Before.HeldOut,
            FittedAfter = state.Found.After.Fitted,
            HeldOutAfter = state.Found.After.HeldOut,
            Damping = state.Damping,
            IsFinished = state.IsFinished,
            Evaluations = state.Found.Evaluations,
            Seconds = state.Found.Seconds,
        };

        public RefinementState State(ISolver solver, SamplingSchedule start)
        {
            var schedule = new SamplingSchedule(Sigmas, start.Terminal);
            if (Iterations < 0 || Evaluations < 0 || !(Seconds >= 0) || !(Damping > 0) || schedule.Steps != start.Steps
                || (schedule.Sigmas[0], schedule.Sigmas[^1]) != (start.Sigmas[0], start.Sigmas[^1]))
            {
                throw new InvalidInputException("the file holds none that began so.");
            }

            var found = new RefinedSolver(schedule, new FittedSolver(solver, schedule, Corrections), Iterations,
                (FittedBefore, HeldOutBefore), (FittedAfter, HeldOutAfter), Evaluations, Seconds);
            return new RefinementState(found, Damping, IsFinished);
        }
    }
}

/// <summary>How far a refinement is.</summary>
/// <param name="Damping">Of the next step.</param>
/// <param name="IsFinished">Whether nothing more is to be gained.</param>
internal sealed record RefinementState(RefinedSolver Found, double Damping, bool IsFinished);
