using FewStep.Metrics;
using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary>Measures the cells of a comparison range by range, so that an interrupted one has all cells on the first ranges, and remembers what is done.</summary>
/// <param name="evaluation">The distance to real images; null to leave it out.</param>
/// <param name="teacher">The teacher's endpoints; null to leave their distance out.</param>
/// <param name="store">Where measurements are kept.</param>
/// <param name="options">Ranges and batch size.</param>
/// <param name="cost">Evaluations an image of a cell, for the time left.</param>
internal sealed class ComparisonMeasurement(FrechetEvaluation? evaluation, TeacherEndpoints? teacher, EvaluationStore store, ComparisonOptions options, Func<ComparisonCell, int> cost)
{
    private readonly Dictionary<string, string> _failures = [];

    /// <summary>Seed ranges that were sampled now, the teacher's not counted.</summary>
    public int RangesMeasured { get; private set; }

    /// <summary>Cost of the teacher's images that were used, whenever they were sampled.</summary>
    public (long NetworkEvaluations, double Seconds) TeacherCost { get; private set; }

    /// <summary>Measures what is not stored yet.</summary>
    /// <param name="cells">The cells.</param>
    /// <param name="progress">Told the network evaluations done of all that are to be made; may be null.</param>
    /// <param name="cancellation">Stops between solver steps; finished ranges stay stored.</param>
    public void Run(IReadOnlyList<ComparisonCell> cells, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var plan = new Queue<Job>(options.Ranges.SelectMany(range => Jobs(cells, range)));
        long total = plan.Sum(Evaluations), done = 0;
        foreach (var range in options.Ranges)
        {
            void Sampled(ComparisonCell cell, int images) => progress?.Report(new WorkProgress("comparison", done += (long)images * cost(cell), total, "evaluations", $"{(cell.Role == EvaluationRole.Teacher ? cell.ScheduleName : cell.ToString())} at {cost(cell)}, {range}"));
            if (teacher is not null && (teacher.Has(range) || IsTeacherDue(range, plan.Where(j => j.Range == range))))
            {
                MeasureTeacher(teacher, range, images => Sampled(teacher.Teacher, images), cancellation);
            }

            while (plan.TryPeek(out var job) && job.Range == range)
            {
                plan.Dequeue();
                if (job.Cell is { } cell && Failure(cell) is null)
                {
                    Measure(job, cell, images => Sampled(cell, images), cancellation);
                }
                else if (job.Cell is not null)
                {
                    total -= Evaluations(job);
                }
            }
        }
    }

    /// <summary>Why a cell could not be measured, in a sentence; null where it could.</summary>
    public string? Failure(ComparisonCell cell) => _failures.GetValueOrDefault(Identity(cell));

    /// <summary>The stored measurements of a cell, one a range; null for what was left out or failed.</summary>
    public IReadOnlyList<(MeasuredRange? Distance, EndpointRange? Endpoint)> Of(ComparisonCell cell) => [.. options.Ranges.Select(r => (Distance(cell, r), Endpoint(cell, r)))];

    private static string Identity(ComparisonCell cell) => EvaluationStore.ImagesKey(cell, "");

    private MeasuredRange? Distance(ComparisonCell cell, SeedRange range) => evaluation is null ? null : store.Find(EvaluationStore.Key(cell, range, evaluation));

    private EndpointRange? Endpoint(ComparisonCell cell, SeedRange range) => teacher is null ? null : store.FindEndpoint(EvaluationStore.EndpointKey(cell, range, teacher.Teacher));

    // The teacher's job, which has no cell, comes first where its images are needed and not there yet.
    private List<Job> Jobs(IReadOnlyList<ComparisonCell> cells, SeedRange range)
    {
        var jobs = new List<Job>();
        var seen = new HashSet<string>();
        foreach (var cell in cells)
        {
            bool distance = evaluation is not null && Distance(cell, range) is null, endpoint = teacher is not null && Endpoint(cell, range) is null;
            // The same combination may stand under two names; it is measured once.
            if ((distance || endpoint) && seen.Add(Identity(cell)))
            {
                jobs.Add(new Job(range, cell, distance, endpoint));
            }
        }

        return IsTeacherDue(range, jobs) && !teacher!.Has(range) ? [new Job(range, null, false, false), .. jobs] : jobs;
    }

    private bool IsTeacherDue(SeedRange range, IEnumerable<Job> jobs) =>
        teacher is not null && (jobs.Any(j => j.Endpoint) || (evaluation is not null && Distance(teacher.Teacher, range) is null));

    private long Evaluations(Job job) => (long)job.Range.Count * cost(job.Cell ?? teacher!.Teacher);

    private void MeasureTeacher(TeacherEndpoints endpoints, SeedRange range, Action<int> sampled, CancellationToken cancellation)
    {
        var known = endpoints.Get(range, sampled, cancellation);
        TeacherCost = (TeacherCost.NetworkEvaluations + known.NetworkEvaluations, TeacherCost.Seconds + known.Seconds);
        if (evaluation is null || Distance(endpoints.Teacher, range) is not null)
        {
            return;
        }

        var result = evaluation.Evaluate([range], seeds => known.Images.narrow(0, seeds[0] - range.First, seeds.Length), options.BatchSize, cancellation: cancellation);
        store.Add(Measured(endpoints.Teacher, range, new RangeResult(result.Spread.Mean, null, known.NetworkEvaluations, known.Seconds)));
    }

    private void Measure(Job job, ComparisonCell cell, Action<int> sampled, CancellationToken cancellation)
    {
        RangeResult result;
        try
        {
            var endpoints = job.Endpoint ? teacher!.Get(job.Range, _ => { }, cancellation).Images : null;
            result = new RangeMeasurement(job.Distance ? evaluation : null, options.BatchSize).Measure(cell, job.Range, endpoints, sampled, cancellation);
        }
        catch (InvalidInputException e)
        {
            _failures[Identity(cell)] = e.Message; // one combination that diverges must not cost the others
            return;
        }

        var endpoint = result.Endpoint is not double rms
            ? null
            : new EndpointRange(
                EvaluationStore.EndpointKey(cell, job.Range, teacher!.Teacher), cell.ScheduleName, cell.Solver.Name, cell.Schedule.Steps, job.Range.First, job.Range.Count, rms, result.NetworkEvaluations, result.Seconds, job.Distance);
        store.Add(job.Distance ? Measured(cell, job.Range, result) : null, endpoint);
        RangesMeasured++;
    }

    private MeasuredRange Measured(ComparisonCell cell, SeedRange range, RangeResult result) => new(
        EvaluationStore.Key(cell, range, evaluation!), cell.ScheduleName, cell.Solver.Name, cell.Schedule.Steps, range.First, range.Count, result.Distance!.Value, result.NetworkEvaluations, result.Seconds);

    private sealed record Job(SeedRange Range, ComparisonCell? Cell, bool Distance, bool Endpoint);
}
