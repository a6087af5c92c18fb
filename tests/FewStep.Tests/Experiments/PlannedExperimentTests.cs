using FewStep.Experiments;
using FewStep.Noise;
using FewStep.Search;
using FewStep.Solvers;
using FewStep.Tests.Sampling;

namespace FewStep.Tests.Experiments;

public sealed class PlannedExperimentTests : IDisposable
{
    private readonly ExperimentWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Every_trial_is_measured_at_its_number_and_the_transfer_matrix_is_filled()
    {
        var summary = Run(_world.Planned(ExperimentWorld.Karras(), _world.Tailored()));
        // At 2: karras and the tailored ones of both, but Heun's single step is everyone's; Euler's schedule of 1 step was not searched,
        // nor Heun's of 4.
        Assert.Equal(
            ["2 karras euler", "2 karras heun", "2 tailored euler", "2 tailored of heun euler", "2 tailored heun", "4 karras euler",
                "4 karras heun", "4 tailored euler", "4 tailored of euler heun", "4 tailored heun"],
            Students(summary).Select(c => $"{c.Number} {c.ScheduleLabel} {c.Solver}"));
        Assert.All(Students(summary), c => Assert.Equal(c.Number, c.EvaluationsPerImage));
        Assert.All(Students(summary), c => Assert.Equal(c.Solver == "heun" ? c.Number / 2 : c.Number, c.Steps));
        Assert.All(summary.Trials, c => Assert.Equal([100L, 112, 124], c.Figures["fd"].Ranges.Select(r => r.FirstSeed)));
        Assert.All(summary.Trials, c => Assert.Equal(3, c.Figures["endpoint"].Ranges.Count));
        Assert.Equal(2, Students(summary).Count(c => c.Verdicts["fd"].Standing == Standing.Best));
        Assert.Empty(summary.LeftOut);
        // A schedule of one solver is the same object of numbers for the other.
        Assert.Equal(
            summary.Trials.First(c => c is { Number: 2, Schedule: "tailored", Solver: "euler", IsTransfer: false }).Sigmas,
            summary.Trials.Single(c => c is { Number: 4, IsTransfer: true, Solver: "heun" }).Sigmas);
        Assert.Equal(2, _world.Searches);
        Assert.Equal(["euler", "heun"], summary.Searches.Select(s => s.FoundFor));
        Assert.Equal([2L, 1L], summary.Searches.Select(s => s.NetworkEvaluations));
        var stored = Sampler.Read(Path.Combine(_world.Folder, "samplers", "tailored-euler-n4.sampler.json"));
        Assert.Equal(("euler", 4, "weights"), (stored.Solver.Name, stored.Steps, stored.Origin.ModelHash));
    }

    [Fact]
    public void Endpoint_distances_are_those_of_the_linear_flow()
    {
        var planned = _world.Planned(ExperimentWorld.Karras());
        var summary = Run(planned with { Plan = planned.Plan with { Solvers = [new EulerSolver()], Numbers = [2, 4, 8] } });
        // Each run multiplies the latent by a number, so the distances of one seed range are in the ratio of the numbers' distances.
        double teacher = Heun(StandardSchedule.Karras().Create(6, 0.002, 80));
        var cells = Students(summary);
        double[] exact = [.. cells.Select(c => Math.Abs(Euler(c.Sigmas) - teacher))];
        for (int range = 0; range < 3; range++)
        {
            double unit = cells[0].Figures["endpoint"].Ranges[range].Value / exact[0];
            Assert.All(cells.Zip(exact), p => Assert.Equal(p.Second * unit, p.First.Figures["endpoint"].Ranges[range].Value, 1e-5 * unit));
            Assert.InRange(unit, 80 * 0.9, 80 * 1.1); // the root mean square of unit noise, times sigma_max
        }
    }

    [Fact]
    public void The_teacher_is_no_distance_from_itself()
    {
        var planned = _world.Planned(ExperimentWorld.Karras());
        var summary = Run(planned with { Plan = planned.Plan with { Solvers = [new HeunSolver()], Numbers = [12] } });
        var teacher = summary.Trials.Single(t => t.Role == TrialRole.Teacher);
        Assert.All(Students(summary).Single().Figures["endpoint"].Ranges, r => Assert.Equal(0, r.Value));
        Assert.Equal(
            Students(summary).Single().Figures["fd"].Ranges.Select(r => r.Value), teacher.Figures["fd"].Ranges.Select(r => r.Value));
        Assert.Equal(12, teacher.EvaluationsPerImage);
        Assert.Empty(teacher.Verdicts);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(9)]
    [InlineData(30)]
    public void An_interrupted_experiment_goes_on_where_it_was_and_ends_the_same(int reports)
    {
        using var other = new ExperimentWorld();
        var whole = Run(other.Planned(ExperimentWorld.Karras(), other.Tailored()));
        long all = other.Network.Images;

        using var stop = new CancellationTokenSource();
        int seen = 0;
        var planned = _world.Planned(ExperimentWorld.Karras(), _world.Tailored());
        Assert.Throws<OperationCanceledException>(() => planned.Run(
            new Told(_ =>
            {
                if (++seen == reports)
                    stop.Cancel();
            }),
            stop.Token));
        var rest = Run(planned);
        Assert.Equal(whole.Trials.Select(Text), rest.Trials.Select(Text));
        Assert.Equal(whole.Searches.Select(s => s.NetworkEvaluations), rest.Searches.Select(s => s.NetworkEvaluations));
        // No more is repeated than the range (or the search) that was cut off.
        Assert.InRange(_world.Network.Images - all, 0, 12 * 12);

        long before = _world.Network.Images;
        int searches = _world.Searches;
        var again = Run(planned);
        Assert.Equal((searches, 0L), (_world.Searches, _world.Network.Images - before));
        Assert.Equal(rest.Trials.Select(Text), again.Trials.Select(Text));
    }

    [Fact]
    public void Only_what_is_new_is_searched_and_measured()
    {
        var planned = _world.Planned(_world.Tailored());
        Run(planned);
        Assert.Equal(2, _world.Searches);
        long before = _world.Network.Images;
        var more = Run(planned with { Plan = planned.Plan with { Numbers = [2, 3, 4] } });
        // Heun makes no 3 evaluations, so only Euler's schedule of 3 steps is new: one evaluation of the search, three ranges of 12 images.
        Assert.Equal((3, 1 + (3L * 12 * 3)), (_world.Searches, _world.Network.Images - before));
        Assert.Equal("heun", more.LeftOut.Single().Solver);
        Assert.Equal([2, 4, 3], more.Searches.Where(s => s.FoundFor == "euler").SelectMany(s => s.Steps));
        Run(planned with { SearchImages = 7 });
        Assert.Equal(5, _world.Searches);
    }

    [Fact]
    public void Figures_that_are_asked_for_later_are_added_to_those_that_are_there()
    {
        var planned = _world.Planned(ExperimentWorld.Karras());
        planned = planned with { Plan = planned.Plan with { Solvers = [new EulerSolver()], Numbers = [2] } };
        var alone = Run(planned with { Metrics = ["fd"] });
        Assert.DoesNotContain("endpoint", alone.Trials[0].Figures.Keys);
        var completed = Run(planned);
        Assert.Equal(alone.Trials[0].Figures["fd"].Ranges, completed.Trials[0].Figures["fd"].Ranges);
        Assert.Equal(3, completed.Trials[0].Figures["endpoint"].Ranges.Count);

        // The other way round, and on its own.
        Directory.Delete(_world.Folder, recursive: true);
        var endpoint = Run(planned with { Metrics = ["endpoint"] });
        Assert.DoesNotContain("fd", endpoint.Trials[0].Figures.Keys);
        Assert.Equal(completed.Trials[0].Figures["endpoint"].Ranges, endpoint.Trials[0].Figures["endpoint"].Ranges);
        Assert.Equal(alone.Trials[0].Figures["fd"].Ranges, Run(planned).Trials[0].Figures["fd"].Ranges);
    }

    [Fact]
    public void The_ledger_counts_every_evaluation_once()
    {
        var planned = _world.Planned(ExperimentWorld.Karras(), ExperimentWorld.Karras("karras again"), _world.Tailored());
        var summary = Run(planned with { Options = planned.Options with { ShownSeeds = [1, 2, 3] } });
        Assert.Equal(_world.Network.Images, summary.Ledger.Sum(l => l.NetworkEvaluations));
        Assert.Equal(
            ["search: tailored", "features of the real images (reference, floor)", "the teacher's endpoints", "images of the report",
                "samples of the comparison"],
            summary.Ledger.Select(l => l.Stage));
        Assert.All(summary.ImageStrips, s => Assert.True(File.Exists(Path.Combine(_world.Folder, s.Path))));
        Assert.Equal("teacher: karras, heun, 6 steps", summary.ImageStrips[^1].Label);
    }

    [Fact]
    public void What_is_impossible_is_left_out_and_said()
    {
        var impossible = ExperimentWorld.Searched("never", _ => new Refusing());
        var planned = _world.Planned(ExperimentWorld.Karras(), impossible);
        var summary = Run(planned with { Plan = planned.Plan with { Numbers = [1, 2, 4] } });
        Assert.Contains(summary.LeftOut, l => l is { Number: 1, Solver: "heun", Schedule: null });
        // One step leaves nothing to search.
        Assert.Equal([(2, "euler"), (4, "euler"), (4, "heun")], summary.LeftOut
            .Where(l => l is { Schedule: "never", Reason: "It never works." }).Select(l => (l.Number, l.Solver)).Order());
        Assert.All(Students(summary), c => Assert.True(c.Schedule == "karras" || c.Steps == 1));
    }

    [Fact]
    public void A_number_that_cannot_be_searched_does_not_cost_the_others()
    {
        var planned = BySteps(_world.Planned(ExperimentWorld.Searched("picky", _ => new Refusing(3))));
        var summary = Run(planned with { Plan = planned.Plan with { Solvers = [new EulerSolver()], Numbers = [2, 3, 4] } });
        Assert.Equal([3], summary.LeftOut.Select(l => l.Number));
        Assert.Equal([2, 4], Students(summary).Select(c => c.Steps));
    }

    [Fact]
    public void A_combination_that_diverges_does_not_cost_the_others()
    {
        var diverging = new ScheduleChoice.Given("diverging", new SamplingSchedule([80, ExperimentWorld.Diverging, 0.002]));
        var summary = Run(_world.Planned(diverging, ExperimentWorld.Karras()));
        // Two steps: Euler's at 2 and Heun's at 4.
        Assert.Equal([(2, "euler"), (4, "heun")], summary.LeftOut.Select(l => (l.Number, l.Solver)));
        Assert.All(summary.LeftOut, l => Assert.Contains("NaN", l.Reason, StringComparison.Ordinal));
        Assert.Equal(4, Students(summary).Length);
    }

    [Fact]
    public void A_schedule_that_is_given_has_its_own_number()
    {
        var given = new ScheduleChoice.Given("mine", StandardSchedule.Karras().Create(3, 0.002, 80));
        Assert.Equal([3, 6], Students(Run(_world.Planned(given))).Select(t => t.Number));
        Assert.Equal([3, 3], Students(Run(BySteps(_world.Planned(given)))).Select(t => t.Number));
    }

    [Fact]
    public void Samplers_have_solver_and_steps_of_their_own()
    {
        var planned = BySteps(_world.Planned(ExperimentWorld.Karras()));
        var summary = Run(planned with { Plan = planned.Plan with { Samplers = [SamplerChoice.Parse("log-snr/dpmpp:2/3")] } });
        var trial = Students(summary).Single(t => t.Schedule == "log-snr");
        Assert.Equal(("dpmpp:2", 3, 3), (trial.Solver, trial.Steps, trial.Number));
        Assert.Equal(StandardSchedule.LogSnr().Create(3, 0.002, 80).Sigmas, trial.Sigmas);
    }

    [Fact]
    public void A_fitted_sampler_is_the_result_where_there_is_one()
    {
        string file = Path.Combine(_world.Folder, "n4.sampler.json");
        var sigmas = StandardSchedule.Karras().Create(4, 0.002, 80);
        new Sampler(sigmas, new FittedSolver(new EulerSolver(), sigmas, [.. Enumerable.Repeat(StepCorrection.None, 3),
            new StepCorrection { Slope = 0.01 }]))
        { Origin = new SamplerOrigin { ModelHash = _world.Model.Hash, Fit = HandMadeFit.Origin } }.Save(file);
        var planned = BySteps(_world.Planned(ExperimentWorld.Karras(), _world.Tailored())) with { HasResult = true };
        var summary = Run(planned with { Plan = planned.Plan with { Samplers = [SamplerChoice.Parse(file)] } });
        Assert.StartsWith(FittedSolver.Prefix, summary.Trials.Single(t => t.Role == TrialRole.Result).Solver, StringComparison.Ordinal);

        // Standard sigmas do not make it a baseline, whatever stands first.
        var alone = BySteps(_world.Planned()) with { HasResult = true };
        summary = Run(alone with
        { Plan = alone.Plan with { Samplers = [SamplerChoice.Parse(file), SamplerChoice.Parse("karras/ipndm:3/4")] } });
        Assert.StartsWith(FittedSolver.Prefix, summary.Trials.Single(t => t.Role == TrialRole.Result).Solver, StringComparison.Ordinal);
        Assert.Equal((4, "karras", null), Of(summary, TrialRole.Baseline));
    }

    [Fact]
    public void The_result_is_the_first_search_and_the_baseline_the_first_standard_schedule()
    {
        using var tuned = ExperimentWorld.ModelOf(_world.Network, "tuned weights");
        var planned = BySteps(_world.Planned(ExperimentWorld.Karras("log"), ExperimentWorld.Karras(), _world.Tailored()));
        planned = planned with
        {
            HasResult = true,
            Plan = planned.Plan with
            {
                Models = [(null, _world.Model), ("mine", tuned)],
                Solvers = [new EulerSolver()],
                TunedSchedules = ["tailored"],
                TunedNumbers = [4]
            },
        };
        var summary = Run(planned);
        Assert.Equal(4, summary.ShownNumber);
        Assert.Equal((4, "log", null), Of(summary, TrialRole.Baseline));
        Assert.Equal((4, "tailored", "mine"), Of(summary, TrialRole.Result));
        Assert.Single(summary.Trials, t => t.Tuning is not null);
        var other = Run(planned with { Options = planned.Options with { ShownNumber = 2 } });
        Assert.Equal((2, "tailored", null), Of(other, TrialRole.Result));
        var e = Assert.Throws<InvalidInputException>(() => Run(planned with { Options = planned.Options with { ShownNumber = 3 } }));
        Assert.Contains("3 is to be shown", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_transfer_each_solver_has_its_own_schedules_alone()
    {
        var planned = _world.Planned(_world.Tailored());
        var summary = Run(planned with { Plan = planned.Plan with { Transfer = false } });
        Assert.Equal(4, Students(summary).Length);
        Assert.All(Students(summary), c => Assert.Equal(c.Solver, c.FoundFor));
    }

    [Fact]
    public void Nonsense_is_refused_before_anything_is_done()
    {
        var planned = _world.Planned(ExperimentWorld.Karras());
        Assert.Contains("even numbers", Refused(
            planned with { Plan = planned.Plan with { Solvers = [new HeunSolver()], Numbers = [3, 5] } }), StringComparison.Ordinal);
        Assert.Contains("the model was made for",
            Refused(_world.Planned(new ScheduleChoice.Given("mine", new SamplingSchedule([90, 1, 0.002])))), StringComparison.Ordinal);
        Assert.Contains("seeds of evaluations", Refused(planned with { Options = planned.Options with { FirstSeed = 4_000_000_000 } }),
            StringComparison.Ordinal);
        Assert.Contains("needs a loss curve", Refused(_world.Planned(ScheduleChoice.Parse("phase1"))), StringComparison.Ordinal);
        Assert.Contains(
            "occurs twice", Refused(_world.Planned(ExperimentWorld.Karras(), ExperimentWorld.Karras())), StringComparison.Ordinal);
        Assert.Contains("no schedule", Refused(_world.Planned()), StringComparison.Ordinal);
        Assert.Equal(0, _world.Network.Images);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
    }

    [Theory]
    [InlineData("{\"version\": 1, \"searches\": []}", "version 1")]
    [InlineData("{\"version\": 2, \"searches\": [null]}", "null")]
    [InlineData("{\"version\": 2}", "not valid")]
    public void Damaged_searches_are_refused(string content, string fragment)
    {
        File.WriteAllText(Path.Combine(_world.Folder, SearchStore.FileName), content);
        Assert.Contains(fragment, Refused(_world.Planned(_world.Tailored())), StringComparison.Ordinal);
    }

    private static PlannedExperiment BySteps(PlannedExperiment planned)
        => planned with { Plan = planned.Plan with { Axis = ComparisonAxis.Steps } };

    private static TrialSummary[] Students(Summary summary) => [.. summary.Trials.Where(t => t.Role != TrialRole.Teacher)];

    private static (int, string?, string?) Of(Summary summary, TrialRole role)
        => summary.Trials.Single(t => t.Role == role) is var t ? (t.Number, t.Schedule, t.Tuning) : default;

    private static string Text(TrialSummary trial)
        => System.Text.Json.JsonSerializer.Serialize(trial with { Seconds = 0 }, JsonFile.Options);

    private static double Shrink(double sigma) => ExperimentWorld.Deviation * ExperimentWorld.Deviation
        / ((sigma * sigma) + (ExperimentWorld.Deviation * ExperimentWorld.Deviation));

    private static double Euler(IReadOnlyList<double> s)
    {
        double x = 1;
        for (int i = 0; i + 1 < s.Count; i++)
            x += (s[i + 1] - s[i]) * (x - (Shrink(s[i]) * x)) / s[i];
        return x;
    }

    private static double Heun(SamplingSchedule schedule)
    {
        double x = 1;
        var s = schedule.Sigmas;
        for (int i = 0; i < schedule.Steps; i++)
        {
            double h = s[i + 1] - s[i], d = (1 - Shrink(s[i])) * x / s[i], end = x + (h * d);
            x += h * (d + ((1 - Shrink(s[i + 1])) * end / s[i + 1])) / 2;
        }

        return x;
    }

    private static Summary Run(PlannedExperiment planned) => planned.Run(null, TestContext.Current.CancellationToken)!;

    private static string Refused(PlannedExperiment planned)
    {
        var e = Assert.Throws<InvalidInputException>(() => Run(planned));
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    // Refuses a number of steps, or all.
    private sealed class Refusing(int? refused = null) : IScheduleOptimizer
    {
        public string Name => "never";

        public IReadOnlyList<ScheduleSearchResult> Search(
            ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default) =>
            refused is null || request.Steps.Contains(refused.Value) ? throw new InvalidInputException("It never works.")
                : [.. request.Steps.Select(n => ExperimentWorld.Found(
                    StandardSchedule.Karras().Create(n, request.SigmaMin, request.SigmaMax), evaluations: 0))];
    }
}
