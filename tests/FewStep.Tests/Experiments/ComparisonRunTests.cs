using FewStep.Metrics;
using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Tests.Experiments;

public sealed class ComparisonRunTests : IDisposable
{
    private readonly ComparisonWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Every_cell_is_measured_at_its_number_and_the_transfer_matrix_is_filled()
    {
        var outcome = Run(_world.Options(ComparisonWorld.Karras(), _world.Tailored()));
        // At 2: karras and the tailored ones of both, but Heun's single step is everyone's; Euler's schedule of 1 step was not searched, nor Heun's of 4.
        Assert.Equal(
            ["2 karras euler", "2 karras heun", "2 tailored euler", "2 tailored of heun euler", "2 tailored heun", "4 karras euler", "4 karras heun", "4 tailored euler", "4 tailored of euler heun", "4 tailored heun"],
            outcome.Cells.Select(c => $"{c.Number} {c.ScheduleLabel} {c.Solver}"));
        Assert.All(outcome.Cells, c => Assert.Equal(c.Number, c.EvaluationsPerImage));
        Assert.All(outcome.Cells, c => Assert.Equal(c.Solver == "heun" ? c.Number / 2 : c.Number, c.Steps));
        Assert.All(outcome.Cells, c => Assert.Equal([100L, 112, 124], c.Distance!.Ranges.Select(r => r.FirstSeed)));
        Assert.All(outcome.Cells, c => Assert.Equal(3, c.Endpoint!.Ranges.Count));
        Assert.Equal(2, outcome.Cells.Count(c => c.DistanceVerdict!.Standing == ComparisonStanding.Best));
        Assert.Empty(outcome.LeftOut);
        // A schedule of one solver is the same object of numbers for the other.
        Assert.Equal(outcome.Cells.First(c => c is { Number: 2, Schedule: "tailored", Solver: "euler", IsTransfer: false }).Sigmas, outcome.Cells.Single(c => c is { Number: 4, IsTransfer: true, Solver: "heun" }).Sigmas);
        Assert.Equal(2, outcome.SearchesRun);
        Assert.Equal(["euler", "heun"], outcome.Searches.Select(s => s.FoundFor));
        Assert.Equal([2L, 1L], outcome.Searches.Select(s => s.NetworkEvaluations));
        Assert.True(File.Exists(Path.Combine(_world.Folder, "schedules", "tailored-euler-n4.schedule.json")));
    }

    [Fact]
    public void Endpoint_distances_are_those_of_the_linear_flow()
    {
        var outcome = Run(_world.Options(ComparisonWorld.Karras()) with { Solvers = [new EulerSolver()], Numbers = [2, 4, 8] });
        // Each run multiplies the latent by a number, so the distances of one seed range are in the ratio of the numbers' distances.
        double teacher = Heun(StandardSchedule.Karras().Create(6, 0.002, 80));
        double[] exact = [.. outcome.Cells.Select(c => Math.Abs(Euler(c.Sigmas) - teacher))];
        for (int range = 0; range < 3; range++)
        {
            double unit = outcome.Cells[0].Endpoint!.Ranges[range].Value / exact[0];
            Assert.All(outcome.Cells.Zip(exact), p => Assert.Equal(p.Second * unit, p.First.Endpoint!.Ranges[range].Value, 1e-5 * unit));
            Assert.InRange(unit, 80 * 0.9, 80 * 1.1); // the root mean square of unit noise, times sigma_max
        }
    }

    [Fact]
    public void The_teacher_is_no_distance_from_itself()
    {
        var outcome = Run(_world.Options(ComparisonWorld.Karras()) with { Solvers = [new HeunSolver()], Numbers = [12] });
        Assert.All(outcome.Cells.Single().Endpoint!.Ranges, r => Assert.Equal(0, r.Value));
        Assert.Equal(outcome.Cells.Single().Distance!.Ranges.Select(r => r.Value), outcome.Teacher!.Distance!.Ranges.Select(r => r.Value));
        Assert.Equal(12, outcome.Teacher.EvaluationsPerImage);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(9)]
    [InlineData(30)]
    public void An_interrupted_comparison_goes_on_where_it_was_and_ends_the_same(int reports)
    {
        using var other = new ComparisonWorld();
        var whole = new ComparisonRun(other.Model, other.Options(ComparisonWorld.Karras(), other.Tailored())).Execute(other.Evaluation, cancellation: TestContext.Current.CancellationToken);
        long all = other.Network.Images;

        using var stop = new CancellationTokenSource();
        int seen = 0;
        var options = _world.Options(ComparisonWorld.Karras(), _world.Tailored());
        Assert.Throws<OperationCanceledException>(() => new ComparisonRun(_world.Model, options).Execute(_world.Evaluation, new Told(_ => { if (++seen == reports) { stop.Cancel(); } }), stop.Token));
        var rest = Run(options);
        Assert.Equal(whole.Cells.Select(c => c with { Seconds = 0 }).Select(Text), rest.Cells.Select(c => c with { Seconds = 0 }).Select(Text));
        Assert.Equal(whole.Searches.Select(s => s.NetworkEvaluations), rest.Searches.Select(s => s.NetworkEvaluations));
        // No more is repeated than the range (or the search) that was cut off.
        Assert.InRange(_world.Network.Images - all, 0, 12 * 12);

        long before = _world.Network.Images;
        var again = Run(options);
        Assert.Equal((0, 0, 0L), (again.RangesMeasured, again.SearchesRun, _world.Network.Images - before));
        Assert.Equal(rest.Cells.Select(Text), again.Cells.Select(Text));
    }

    [Fact]
    public void Only_what_is_new_is_searched_and_measured()
    {
        var options = _world.Options(_world.Tailored());
        Run(options);
        Assert.Equal(2, _world.Searches);
        var more = Run(options with { Numbers = [2, 3, 4] });
        // Heun makes no 3 evaluations, so only Euler's schedule of 3 steps is new.
        Assert.Equal((1, 3, 3), (more.SearchesRun, _world.Searches, more.RangesMeasured));
        Assert.Equal("heun", more.LeftOut.Single().Solver);
        Assert.Equal([2, 4, 3], more.Searches.Where(s => s.FoundFor == "euler").SelectMany(s => s.Schedules).Select(f => f.Steps));
        var others = Run(options with { SearchImages = 7 });
        Assert.Equal(2, others.SearchesRun);
    }

    [Fact]
    public void A_range_without_endpoint_distance_is_completed_and_keeps_its_distance()
    {
        var options = _world.Options(ComparisonWorld.Karras()) with { Solvers = [new EulerSolver()], Numbers = [2] };
        var alone = Run(options with { Teacher = null });
        Assert.Null(alone.Cells[0].Endpoint);
        string stored = File.ReadAllText(Path.Combine(_world.Folder, EvaluationStore.Name));
        var completed = Run(options);
        Assert.Equal(alone.Cells[0].Distance!.Ranges, completed.Cells[0].Distance!.Ranges);
        Assert.Equal(3, completed.Cells[0].Endpoint!.Ranges.Count);
        Assert.Contains(stored[stored.IndexOf("\"key\"", StringComparison.Ordinal)..stored.LastIndexOf('}', stored.LastIndexOf(']'))], File.ReadAllText(Path.Combine(_world.Folder, EvaluationStore.Name)), StringComparison.Ordinal);

        // The other way round, and on its own.
        Directory.Delete(_world.Folder, recursive: true);
        var endpoint = new ComparisonRun(_world.Model, options).Execute(null, cancellation: TestContext.Current.CancellationToken);
        Assert.Null(endpoint.Cells[0].Distance);
        Assert.Equal(completed.Cells[0].Endpoint!.Ranges, endpoint.Cells[0].Endpoint!.Ranges);
        Assert.Equal(alone.Cells[0].Distance!.Ranges, Run(options).Cells[0].Distance!.Ranges);
    }

    [Fact]
    public void The_ledger_counts_every_evaluation_once()
    {
        var options = _world.Options(ComparisonWorld.Karras(), ComparisonWorld.Karras("karras again"), _world.Tailored()) with { ShownSeeds = [1, 2, 3] };
        var outcome = Run(options);
        Assert.Equal(_world.Network.Images, outcome.Ledger.Sum(l => l.NetworkEvaluations));
        Assert.Equal(["search: tailored", "the teacher's endpoints", "samples of the comparison", "images of the report"], outcome.Ledger.Select(l => l.Stage));
        Assert.All(outcome.ImageStrips, s => Assert.True(File.Exists(Path.Combine(_world.Folder, s.Path))));
        Assert.StartsWith("teacher: heun on karras", outcome.ImageStrips[^1].Schedule, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_impossible_is_left_out_and_said()
    {
        var impossible = new ComparisonSchedule.Searched("never", new ScheduleOptimizerChoice(
            new ScheduleOptimizerEntry { Name = "never", Description = "none", Source = "none", Create = (_, _) => new Refusing() }, null));
        var outcome = Run(_world.Options(ComparisonWorld.Karras(), impossible) with { Numbers = [1, 2, 4] });
        Assert.Contains(outcome.LeftOut, l => l is { Number: 1, Solver: "heun", Schedule: null });
        Assert.Equal(5, outcome.LeftOut.Count(l => l.Schedule == "never" && l.Reason == "It never works."));
        Assert.All(outcome.Cells, c => Assert.Equal("karras", c.Schedule));
    }

    [Fact]
    public void A_combination_that_diverges_does_not_cost_the_others()
    {
        var diverging = new ComparisonSchedule.Given("diverging", new SamplingSchedule([80, ComparisonWorld.Diverging, 0.002]));
        var outcome = Run(_world.Options(diverging, ComparisonWorld.Karras()));
        // Two steps: Euler's at 2 and Heun's at 4.
        Assert.Equal([(2, "euler"), (4, "heun")], outcome.LeftOut.Select(l => (l.Number, l.Solver)));
        Assert.All(outcome.LeftOut, l => Assert.Contains("NaN", l.Reason, StringComparison.Ordinal));
        Assert.Equal(4, outcome.Cells.Count);
        Assert.Contains("NaN", Assert.Throws<InvalidInputException>(() => Run(_world.Options(diverging))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_transfer_each_solver_has_its_own_schedules_alone()
    {
        var outcome = Run(_world.Options(_world.Tailored()) with { Transfer = false });
        Assert.Equal(4, outcome.Cells.Count);
        Assert.All(outcome.Cells, c => Assert.Equal(c.Solver, c.FoundFor));
    }

    [Fact]
    public void Nonsense_is_refused_before_anything_is_done()
    {
        var karras = ComparisonWorld.Karras();
        Assert.Contains("even numbers", Refused(_world.Options(karras) with { Solvers = [new HeunSolver()], Numbers = [3, 5] }), StringComparison.Ordinal);
        Assert.Contains("has 3 steps", Refused(_world.Options(new ComparisonSchedule.Given("mine", StandardSchedule.Karras().Create(3, 0.002, 80)))), StringComparison.Ordinal);
        Assert.Contains("the model was made for", Refused(_world.Options(new ComparisonSchedule.Given("mine", new SamplingSchedule([90, 1, 0.002])))), StringComparison.Ordinal);
        Assert.Contains("belong to the searches", Refused(_world.Options(_world.Tailored()) with { Ranges = SeedRange.Consecutive(4_000_000_000, 2, 1) }), StringComparison.Ordinal);
        Assert.Contains("needs a loss curve", Refused(_world.Options(new ComparisonSchedule.Searched("phase1", ScheduleOptimizerCatalog.Find("phase1")))), StringComparison.Ordinal);
        Assert.Contains("must increase", Refused(_world.Options(karras) with { Numbers = [4, 2] }), StringComparison.Ordinal);
        Assert.Contains("occurs twice", Refused(_world.Options(karras, karras)), StringComparison.Ordinal);
        Assert.Equal(0, _world.Network.Images);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
    }

    [Theory]
    [InlineData("{\"version\": 2, \"searches\": []}", "version 2")]
    [InlineData("{\"version\": 1, \"searches\": [null]}", "null")]
    [InlineData("{\"version\": 1}", "not valid")]
    public void Damaged_searches_are_refused(string content, string fragment)
    {
        File.WriteAllText(Path.Combine(_world.Folder, "searches.json"), content);
        var e = Assert.Throws<InvalidInputException>(() => Run(_world.Options(_world.Tailored())));
        Assert.Contains(fragment, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static string Text(ComparisonCellSummary cell) => System.Text.Json.JsonSerializer.Serialize(cell, JsonFile.Options);

    private static double Shrink(double sigma) => ComparisonWorld.Deviation * ComparisonWorld.Deviation / ((sigma * sigma) + (ComparisonWorld.Deviation * ComparisonWorld.Deviation));

    private static double Euler(IReadOnlyList<double> s)
    {
        double x = 1;
        for (int i = 0; i + 1 < s.Count; i++)
        {
            x += (s[i + 1] - s[i]) * (x - (Shrink(s[i]) * x)) / s[i];
        }

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

    private ComparisonOutcome Run(ComparisonOptions options) => new ComparisonRun(_world.Model, options).Execute(_world.Evaluation, cancellation: TestContext.Current.CancellationToken);

    private string Refused(ComparisonOptions options)
    {
        var e = Assert.Throws<InvalidInputException>(() => new ComparisonRun(_world.Model, options));
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    private sealed class Refusing : IScheduleOptimizer
    {
        public string Name => "never";

        public IReadOnlyList<ScheduleSearchResult> Search(ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default) => throw new InvalidInputException("It never works.");
    }
}
