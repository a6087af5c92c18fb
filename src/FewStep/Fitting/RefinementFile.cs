using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>Where refinements under way are kept until their results are complete.</summary>
/// <param name="folder">The results' own.</param>
internal sealed class RefinementFiles(string folder)
{
    private readonly HashSet<string> _paths = [];

    /// <summary>The file of one refinement. Its name says what it is of, so one of other options, samplers or models is never gone on
    /// with.</summary>
    /// <param name="identity">What tells it from others: model, options, seeds, the sampler that it starts from.</param>
    public RefinementFile Of(string identity)
    {
        string path = Path.Combine(folder, $"refining-{Sha256.Of(identity)[..16]}.json");
        _paths.Add(path);
        return new RefinementFile(path);
    }

    /// <summary>Deletes those that were asked for.</summary>
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
    public RefinementState? Read(ISolver solver, ScheduleTerminal terminal)
    {
        if (!File.Exists(path))
            return null;
        var content = JsonFile.Read<Content>(path);
        try
        {
            return content.State(solver, terminal);
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{path}: {e.Message} Delete the file to have all refined again.", e);
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

        public RefinementState State(ISolver solver, ScheduleTerminal terminal)
        {
            if (Iterations < 0 || Evaluations < 0 || !(Seconds >= 0) || !(Damping > 0) || Corrections.IsDefault)
                throw new InvalidInputException("it holds no refinement.");
            var schedule = new SamplingSchedule(Sigmas, terminal);
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
