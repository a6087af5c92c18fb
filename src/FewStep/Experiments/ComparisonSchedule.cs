using FewStep.Noise;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>One of the schedules that a comparison crosses with solvers.</summary>
/// <param name="Name">Name for people; unique in a comparison.</param>
public abstract record ComparisonSchedule(string Name)
{
    /// <summary>Where it comes from.</summary>
    public abstract ScheduleSource Source { get; }

    /// <summary>A schedule for every number of steps that needs no model but its noise levels.</summary>
    /// <param name="Name">Name for people.</param>
    /// <param name="Schedule">The schedule.</param>
    public sealed record Standard(string Name, StandardSchedule Schedule) : ComparisonSchedule(Name)
    {
        /// <inheritdoc/>
        public override ScheduleSource Source => ScheduleSource.Standard;
    }

    /// <summary>A schedule as it was given, which has its own number of steps.</summary>
    /// <param name="Name">Name for people.</param>
    /// <param name="Schedule">The schedule.</param>
    public sealed record Given(string Name, SamplingSchedule Schedule) : ComparisonSchedule(Name)
    {
        /// <inheritdoc/>
        public override ScheduleSource Source => ScheduleSource.Given;
    }

    /// <summary>What an optimiser finds for the model, and where it says so for each solver.</summary>
    /// <param name="Name">Name for people.</param>
    /// <param name="Optimizer">The optimiser.</param>
    public sealed record Searched(string Name, ScheduleOptimizerChoice Optimizer) : ComparisonSchedule(Name)
    {
        /// <inheritdoc/>
        public override ScheduleSource Source => Optimizer.Entry.Name == DiscretizationLossOptimizer.Entry.Name ? ScheduleSource.Phase1 : ScheduleSource.OtherSearch;
    }
}
