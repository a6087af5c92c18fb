using FewStep.Sampling;
using FewStep.Noise;
using FewStep.Platform;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>The cells of a comparison: every schedule with every solver at every number, made or searched.</summary>
internal sealed class ComparisonPlan
{
    private readonly ComparisonModel _model;
    private readonly ComparisonOptions _options;
    private readonly ComparisonGrid _grid;
    private readonly List<ComparisonPlannedCell> _cells = [];
    private readonly List<ComparisonLeftOutSummary> _leftOut;

    private ComparisonPlan(ComparisonModel model, ComparisonOptions options, ComparisonGrid grid) => (_model, _options, _grid, _leftOut) = (model, options, grid, [.. grid.LeftOut]);

    /// <summary>The cells by number, then schedule, then solver.</summary>
    public IReadOnlyList<ComparisonPlannedCell> Cells => [.. _options.Numbers.SelectMany(n => _cells.Where(c => c.Number == n))];

    /// <summary>What cannot be measured, and why.</summary>
    public IReadOnlyList<ComparisonLeftOutSummary> LeftOut => _leftOut;

    /// <summary>Makes or searches all schedules and crosses them with the solvers.</summary>
    /// <exception cref="InvalidInputException">Nothing at all can be measured.</exception>
    public static ComparisonPlan Create(ComparisonModel model, ComparisonOptions options, ComparisonGrid grid, ComparisonSearches searches, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var plan = new ComparisonPlan(model, options, grid);
        foreach (var schedule in options.Schedules)
        {
            switch (schedule)
            {
                case ComparisonSchedule.Standard standard:
                    plan.Add(schedule, grid.Slots, slot => standard.Schedule.Create(slot.Steps, model.Denoiser.SigmaMin, model.Denoiser.SigmaMax));
                    break;
                case ComparisonSchedule.Given given:
                    ScheduleRange.Check(given.Schedule, given.Name, model.Denoiser);
                    plan.Add(schedule, grid.Fitting(given), _ => given.Schedule);
                    break;
                case ComparisonSchedule.Searched searched:
                    plan.Add(searched, searches, progress, cancellation);
                    break;
                default:
                    throw new ArgumentException($"A schedule of kind {schedule.GetType().Name} is unknown.", nameof(options));
            }
        }

        return plan._cells.Count > 0 ? plan : throw new InvalidInputException($"Nothing is left to compare: {plan._leftOut[0].Reason}");
    }

    private void Add(ComparisonSchedule schedule, IReadOnlyList<ComparisonSlot> slots, Func<ComparisonSlot, SamplingSchedule> make)
    {
        foreach (var slot in slots)
        {
            try
            {
                Add(schedule, null, slot, make(slot));
            }
            catch (InvalidInputException e)
            {
                LeaveOut(slot, schedule.Name, e);
            }
        }
    }

    private void Add(ComparisonSchedule.Searched searched, ComparisonSearches searches, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var found = new Dictionary<string, IReadOnlyDictionary<int, SamplingSchedule>>();
        bool isForSolver = searched.Optimizer.Entry.IsForSolver;
        ISolver?[] targets = isForSolver ? [.. _options.Solvers] : [null];
        foreach (var target in targets)
        {
            ComparisonSlot[] own = [.. _grid.Slots.Where(s => target is null || s.Solver == target)];
            if (own.Length == 0)
            {
                continue;
            }

            try
            {
                found[target?.Name ?? ""] = searches.Find(searched, target, [.. own.Select(s => s.Steps).Distinct().Order()], progress, cancellation);
            }
            catch (InvalidInputException e)
            {
                foreach (var slot in own)
                {
                    LeaveOut(slot, searched.Name, e);
                }
            }
        }

        foreach (var slot in _grid.Slots)
        {
            foreach (var (target, schedules) in found.Where(f => !isForSolver || f.Key == slot.Solver.Name || _options.Transfer))
            {
                // No schedule is searched for another solver's sake, so one may be missing.
                if (schedules.TryGetValue(slot.Steps, out var schedule))
                {
                    Add(searched, isForSolver ? target : null, slot, schedule);
                }
            }
        }
    }

    private void Add(ComparisonSchedule schedule, string? foundFor, ComparisonSlot slot, SamplingSchedule sigmas) => _cells.Add(new ComparisonPlannedCell(
        slot.Number,
        schedule,
        foundFor,
        new ComparisonCell
        {
            Denoiser = _model.Denoiser,
            DenoiserIdentity = _model.Identity,
            ScheduleName = foundFor is null || foundFor == slot.Solver.Name ? schedule.Name : $"{schedule.Name} of {foundFor}",
            Schedule = sigmas,
            Solver = slot.Solver,
        }));

    private void LeaveOut(ComparisonSlot slot, string schedule, InvalidInputException reason) => _leftOut.Add(new ComparisonLeftOutSummary(slot.Number, slot.Solver.Name, reason.Message, schedule));
}

/// <summary>A cell that is to be measured.</summary>
/// <param name="Number">Evaluations an image, or steps.</param>
/// <param name="Schedule">The schedule it belongs to.</param>
/// <param name="FoundFor">The solver that the schedule was searched for; null where it suits any.</param>
/// <param name="Cell">What is sampled.</param>
internal sealed record ComparisonPlannedCell(int Number, ComparisonSchedule Schedule, string? FoundFor, ComparisonCell Cell);
