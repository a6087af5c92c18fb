using FewStep.Experiments;
using FewStep.Metrics;

namespace FewStep;

/// <summary>One thing that an experiment measures: a model sampled by a sampler.</summary>
/// <param name="Model">The weights; not owned.</param>
/// <param name="Sampler">Sigmas and solver; its origin names the schedule in tables.</param>
public sealed record Trial(Model Model, Sampler Sampler)
{
    /// <summary>What it is to the headline; default <see cref="TrialRole.Comparison"/>.</summary>
    public TrialRole Role { get; init; }

    /// <summary>Name of the tuning that made the weights; null (default) for the weights as they came.</summary>
    public string? Tuning { get; init; }

    /// <summary>The solver that the schedule was searched for; null (default) where it suits any.</summary>
    public string? FoundFor { get; init; }

    /// <summary>What it is compared at, in the experiment's unit (<see cref="ExperimentOptions.Axis"/>); null (default) for what it
    /// takes.</summary>
    public int? Number { get; init; }

    /// <summary>Whether the report shows its images, where it is at the number that is shown; default true.</summary>
    public bool IsShown { get; init; } = true;

    /// <summary>The file that the sampler is from, as <c>folder/name</c>; null (default) where it is from none.</summary>
    internal string? File { get; init; }

    /// <summary>Name of the schedule, of the search or of the file.</summary>
    internal string ScheduleName => Sampler.Origin.Schedule ?? $"sigmas {Sampler.Schedule}";

    internal bool IsTransfer => FoundFor is not null && FoundFor != Sampler.Solver.Name;

    /// <summary>Schedule, tuning, solver, steps.</summary>
    public override string ToString()
    {
        string name = File ?? ScheduleName;
        string schedule = $"{(IsTransfer ? $"{name} of {FoundFor}" : name)}{(Tuning is null ? "" : $" + {Tuning}")}";
        return string.Create(
            CultureInfo.InvariantCulture, $"{schedule}, {Sampler.Solver.Name}, {Sampler.Steps} step{(Sampler.Steps == 1 ? "" : "s")}");
    }

    /// <summary>What tells the images of some seeds from all others, hashed: weights, number format, sigmas, terminal rule, solver, seeds
    /// and how many are sampled at a time. Labels follow from the seeds.</summary>
    internal string ImagesKey(string seeds)
        => Sha256.Of($"{Model.Identity}\n{Sampler.Schedule.ExactSigmas}\n{Sampler.Schedule.Terminal}\n{Sampler.Solver.Name}\n{seeds}");

    internal string ImagesKey(SeedRange range, int batch) => ImagesKey(InvariantText.Of($"{range.First} {range.Count} by {batch}"));
}
