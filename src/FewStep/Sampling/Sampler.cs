using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep;

/// <summary>What makes images of a model in a few steps: sigmas, the solver that steps over them, and where they came from. A value; equal
/// parts make equal images.</summary>
public sealed record Sampler
{
    /// <summary>Puts a schedule and a solver together.</summary>
    /// <param name="schedule">The N+1 sigmas.</param>
    /// <param name="solver">The solver.</param>
    public Sampler(SamplingSchedule schedule, ISolver solver)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(solver);
        (Schedule, Solver) = (schedule, solver);
    }

    /// <summary>The N+1 sigmas.</summary>
    public SamplingSchedule Schedule { get; init; }

    /// <summary>The solver.</summary>
    public ISolver Solver { get; init; }

    /// <summary>Where the sigmas came from; default nothing that is known.</summary>
    public SamplerOrigin Origin { get; init; } = new();

    /// <summary>Number of solver steps N.</summary>
    public int Steps => Schedule.Steps;

    /// <summary>Reads a sampler file (<c>*.sampler.json</c>), a schedule file (<c>*.schedule.json</c>), or a JSON list of sigmas.</summary>
    /// <param name="path">The file, at most 8 MiB.</param>
    /// <param name="solver">The solver where the file names none, e.g. <c>ipndm:3</c>; null (default) refuses such a file.</param>
    /// <exception cref="InvalidInputException">The file cannot be read or breaks a rule; the message names file and rule.</exception>
    public static Sampler Read(string path, string? solver = null)
    {
        var file = SamplerFile.Read(path);
        var found = file.Solver ?? (solver is null ? throw new InvalidInputException($"{path} names no solver; say which one to step with.")
            : SolverCatalog.Find(solver));
        return new Sampler(file.Schedule, found) { Origin = file.Origin };
    }

    /// <summary>Writes a sampler file, with full precision, whole or not at all.</summary>
    /// <param name="path">Target; its name should end in <c>.sampler.json</c>.</param>
    /// <exception cref="ArgumentException">The solver is none that a file can name.</exception>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public void Save(string path) => SamplerFile.Write(path, this);

    /// <summary>Schedule, solver and steps, e.g. <c>karras/ipndm:3/6</c>.</summary>
    public override string ToString() => InvariantText.Of($"{Origin.Schedule ?? "sigmas"}/{Solver.Name}/{Steps}");
}

/// <summary>Where a sampler's sigmas came from. Everything is null where it is not known.</summary>
public sealed record SamplerOrigin
{
    /// <summary>Name of the standard schedule, of the search, or of the file: what tables call the schedule.</summary>
    public string? Schedule { get; init; }

    /// <summary>Kind of that source; default <see cref="ScheduleSource.Given"/>.</summary>
    public ScheduleSource Source { get; init; } = ScheduleSource.Given;

    /// <summary>What the search minimised.</summary>
    public string? Objective { get; init; }

    /// <summary>The objective's value with its confidence interval.</summary>
    public ScheduleLoss? Loss { get; init; }

    /// <summary>Network evaluations (one an image) that were spent to find the sigmas.</summary>
    public long? Evaluations { get; init; }

    /// <summary>Hash of the model that the sampler was made for.</summary>
    public string? ModelHash { get; init; }

    /// <summary>Hash of the images that the search used.</summary>
    public string? DataHash { get; init; }

    /// <summary>Seed of the search.</summary>
    public long? Seed { get; init; }

    /// <summary>What the solver was fitted on; null for a solver that was not.</summary>
    internal FitOrigin? Fit { get; init; }

    /// <summary>What the sampler was matched to; null for one that was not. It replaces the fit that it began with.</summary>
    internal MatchOrigin? Match { get; init; }

    /// <summary>What is true of the sigmas with another solver.</summary>
    internal SamplerOrigin OfSigmas =>
        Fit is null && Match is null ? this : this with { Fit = null, Match = null, Objective = null, Loss = null };

    /// <summary>Whether it is taken for models that it was not fitted to; no file says so.</summary>
    internal bool IsForAnyModel { get; init; }
}
