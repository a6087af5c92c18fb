using FewStep.Networks;
using FewStep.Search;

namespace FewStep.Tuning;

/// <summary>Searches the schedule that is best for a model that will be tuned to it: every candidate gets a short tuning, and its samples
/// are then compared with one fine path of the pre-trained model.</summary>
/// <remarks>
/// The schedule of least discretization loss is best for weights that stay as they are; how hard each jump is to learn is another question,
/// and this search asks it directly. All candidates share seeds, so that their differences are the schedule's. From the best start, the
/// inner sigmas are moved one at a time in ln sigma.
/// </remarks>
internal sealed class TunedScheduleOptimizer : IScheduleOptimizer
{
    private const double SmallestGap = 0.05;
    private readonly NetworkDenoiser _model;
    private readonly TunedScheduleOptions _options;
    private readonly string? _path;
    private readonly string _fingerprint;
    private readonly List<TunedCandidate> _done;

    /// <param name="model">The pre-trained model; its weights are not touched. Not disposed.</param>
    public TunedScheduleOptimizer(NetworkDenoiser model, TunedScheduleOptions? options = null, string? path = null)
    {
        (_model, _path) = (model, path);
        _options = options ?? new TunedScheduleOptions();
        _options = _options with
        {
            Tuning = _options.Tuning with
            {
                Loss = TuningLoss.Trajectory,
                Distance = null,
                EnergyWeight = 0,
                ComputeType = model.ComputeType,
                Solver = _options.Solver.Name,
            },
        };
        _options.Validate();
        string identity = TrainingIdentity.Hash(model.Weights) + JsonSerializer.Serialize(_options.Tuning, JsonFile.Options)
            + InvariantText.Of($"{_options.JudgedLatents} {_options.JudgeSteps}");
        _fingerprint = Sha256.Of(identity);
        _done = TunedCandidateFile.Read(path, _fingerprint);
    }

    public string Name => "tuned";

    /// <summary>The candidates so far, in the order in which they were done.</summary>
    public IReadOnlyList<TunedCandidate> Candidates => _done;

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        using var judge = new StudentJudge(_model, request, _options, cancellation);
        return [.. request.Steps.Select(steps => Search(request, steps, judge, progress, cancellation))];
    }

    private ScheduleSearchResult Search(
        ScheduleSearchRequest request, int steps, StudentJudge judge, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var tried = new List<TunedCandidate>();
        TunedCandidate Try(SamplingSchedule schedule)
        {
            // The same schedule may come up again; it is counted once.
            var candidate = tried.FirstOrDefault(c => c.IsOf(schedule))
                ?? Tune(schedule, judge, progress.Phase("candidate", tried.Count + 1, _options.Candidates), cancellation);
            if (!tried.Contains(candidate))
            {
                tried.Add(candidate);
                progress?.Report(new WorkProgress(
                    InvariantText.Of($"search over tunings, {steps} steps"), tried.Count, _options.Candidates, "candidates",
                    InvariantText.Of($"best {tried.Min(c => c.Distance):G4}")));
            }

            return candidate;
        }

        var starts = _options.FurtherStarts.Where(s => s.Steps == steps)
            .Concat(_options.Starts.Select(s => s.Create(steps, request.SigmaMin, request.SigmaMax)))
            .Select(s => new SamplingSchedule(s.Sigmas, request.Terminal))
            .Take(_options.Candidates)
            .ToList();
        if (starts.Count == 0)
            throw new InvalidInputException($"There is no schedule of {steps} steps to begin at.");
        var best = starts.Select(Try).ToList().MinBy(c => c.Distance)!;
        double move = _options.FirstMove;
        while (move >= _options.SmallestMove && tried.Count < _options.Candidates && steps > 1)
        {
            var better = Improve(best, move, request.Terminal, Try, () => tried.Count < _options.Candidates);
            move = better == best ? move / 2 : move;
            best = better;
        }

        return new ScheduleSearchResult
        {
            Schedule = new SamplingSchedule(best.Sigmas, request.Terminal),
            Objective = InvariantText.Of($"distance to the fine path after {_options.Tuning.Updates} updates of tuning"),
            Search = InvariantText.Of($"best of {starts.Count} schedules, then coordinate moves in ln sigma; {tried.Count} candidates"),
            Loss = new LossEstimate(best.Distance, best.HalfWidth, 0.95),
            NetworkEvaluations = judge.TeacherEvaluations + tried.Sum(c => c.Evaluations),
            StopReason = tried.Count >= _options.Candidates
                ? InvariantText.Of($"all {_options.Candidates} candidates were tried")
                : InvariantText.Of($"moves fell below {_options.SmallestMove} in ln sigma"),
            Seconds = tried.Sum(c => c.Seconds),
        };
    }

    // One pass over the inner sigmas; the first move of each that helps is taken.
    private static TunedCandidate Improve(
        TunedCandidate best, double move, ScheduleTerminal terminal, Func<SamplingSchedule, TunedCandidate> attempt, Func<bool> more)
    {
        for (int i = 1; i < best.Sigmas.Count - 1; i++)
        {
            foreach (double shift in new[] { -move, move })
            {
                double[] sigmas = [.. best.Sigmas];
                sigmas[i] *= Math.Exp(shift);
                if (!more() || sigmas[i] > sigmas[i - 1] * Math.Exp(-SmallestGap) || sigmas[i] < sigmas[i + 1] * Math.Exp(SmallestGap))
                    continue;
                var candidate = attempt(new SamplingSchedule(sigmas, terminal));
                if (candidate.Distance < best.Distance)
                {
                    best = candidate;
                    break;
                }
            }
        }

        return best;
    }

    private TunedCandidate Tune(
        SamplingSchedule schedule, StudentJudge judge, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (_done.FirstOrDefault(c => c.IsOf(schedule)) is { } known)
            return known;
        var watch = Stopwatch.StartNew();
        using var tuned = new Tuner(_model, new Sampler(schedule, _options.Solver), _options.Tuning)
            .Run(observer: new TuningObserver { Progress = progress }, cancellation: cancellation);
        cancellation.ThrowIfCancellationRequested();
        var (distance, spent) = judge.Judge(tuned.Weights, schedule, cancellation);
        var candidate = new TunedCandidate(
            [.. schedule.Sigmas], schedule.Terminal, distance.Value, distance.HalfWidth!.Value, tuned.Report.Evaluations.Forward
                + spent, watch.Elapsed.TotalSeconds);
        _done.Add(candidate);
        if (_path is not null)
            JsonFile.Write(_path, new TunedCandidateFile(_fingerprint, _done));
        return candidate;
    }
}
