using FewStep.Denoising;
using FewStep.Fitting;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Search;

namespace FewStep.Tests.Fitting;

public sealed class SolverFitTests
{
    private static readonly FitOptions Options = new() { Latents = 48, HeldOutLatents = 24, TeacherSteps = 200 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void On_gaussian_data_the_slope_makes_every_step_exact(int steps)
    {
        using var denoiser = GaussianMixtureDenoiser.Gaussian(SearchModels.Shape, 0.3, 0.5);
        var result = Fit(denoiser, Options with { Corrections = FitCorrections.Slope, TeacherSteps = 800 }, Karras(steps));
        // x -> m + (x - m) sqrt((c^2 + s'^2) / (c^2 + s^2)), which is r x + (1 - r) (D + b (x - D)).
        var solver = Assert.IsType<FittedSolver>(result.Solver);
        for (int i = 0; i < steps; i++)
        {
            double s = result.Schedule.Sigmas[i], next = result.Schedule.Sigmas[i + 1], r = next / s;
            double scale = Math.Sqrt((0.25 + (next * next)) / (0.25 + (s * s))), gain = 0.25 / (0.25 + (s * s));
            double exact = (((scale - r) / (1 - r)) - gain) / (1 - gain);
            Assert.Equal(exact, solver.Corrections[i].Slope, 4);
        }

        Assert.InRange(Math.Sqrt(result.HeldOut.Value), 0, 2e-4);
    }

    [Theory]
    [InlineData("euler")]
    [InlineData("ipndm:3")]
    [InlineData("unipc:3")]
    [InlineData("heun")]
    public void No_corrections_are_the_base_bit_for_bit(string text)
    {
        using var denoiser = SearchModels.Mixture();
        var (schedule, solver) = (Karras(5), SolverCatalog.Find(text));
        var fitted = new FittedSolver(solver, schedule, Enumerable.Repeat(StepCorrection.None, 5));
        Assert.Equal(Ends(denoiser, solver, schedule), Ends(denoiser, fitted, schedule));
    }

    [Theory]
    [InlineData("euler")]
    [InlineData("ipndm:2")]
    [InlineData("unipc:2")]
    [InlineData("heun")]
    public void The_sampler_ends_where_the_fit_says(string text)
    {
        using var denoiser = SearchModels.Mixture();
        var result = Fit(denoiser, Options with { Solver = text, Corrections = (FitCorrections)7 }, Karras(4));
        Assert.True(result.HeldOut.Value < result.Base.Value);
        var teacher = Ends(denoiser, SolverCatalog.Find(Options.TeacherSolver), Karras(Options.TeacherSteps), Options.Latents);
        var student = Ends(denoiser, result.Solver, result.Schedule, Options.Latents);
        Assert.Equal(result.Fitted!.Value, student.Zip(teacher, (a, b) => (a - b) * (a - b)).Average(), 1e-5);
    }

    [Fact]
    public void Images_are_as_large_as_the_teachers_unless_the_nearest_are_asked_for()
    {
        using var denoiser = SearchModels.Mixture();
        double teacher = MeanSquare(SolverCatalog.Find(Options.TeacherSolver), Karras(Options.TeacherSteps));
        var (plain, kept) = (Fit(denoiser, Options with { KeepMeanSquare = false }, Karras(2)), Fit(denoiser, Options, Karras(2)));
        Assert.InRange(MeanSquare(plain.Solver, plain.Schedule) / teacher, 0, 0.999);
        Assert.Equal(1, MeanSquare(kept.Solver, kept.Schedule) / teacher, 1e-4);
        Assert.Equal(("closed form, mean square not kept", "closed form"), (plain.Stop, kept.Stop));

        double MeanSquare(ISolver solver, SamplingSchedule schedule)
            => Ends(denoiser, solver, schedule, Options.Latents).Average(v => (double)v * v);
    }

    [Fact]
    public void The_teachers_own_steps_leave_nothing_to_correct()
    {
        using var denoiser = SearchModels.Mixture();
        var options = Options with { TeacherSteps = 8, Solver = Options.TeacherSolver };
        var result = Fit(denoiser, options, Karras(8));
        Assert.InRange(result.HeldOut.Value, 0, 1e-10);
    }

    [Theory]
    [InlineData(ScheduleTerminal.SigmaMin)]
    [InlineData(ScheduleTerminal.Zero)]
    public void All_schedules_are_fitted_on_one_teacher_path(ScheduleTerminal terminal)
    {
        var denoiser = new CountingDenoiser(SearchModels.Mixture());
        SamplingSchedule[] schedules = [.. new[] { 2, 3, 6 }.Select(n => StandardSchedule.Karras().Create(n, 0.002, 80, terminal))];
        var options = Options with { TeacherSteps = 40 };
        FittedSchedule[] results = [.. new SolverFit(denoiser, denoiser, options, 0, new PixelEmbedding())
            .Fit([.. schedules.Select(s => new[] { s })], null, Token).Select(r => r.Result)];
        Assert.Equal(schedules, results.Select(r => r.Schedule));
        Assert.All(results, r => Assert.True(r.HeldOut.Value <= r.Base.Value, r.Stop));
        int end = terminal == ScheduleTerminal.Zero ? 1 : 0;
        long expected = 72 * (40 + end) + schedules.Sum(s => (s.Steps + end) * (72 + 24));
        Assert.Equal(expected, denoiser.Images);
        Assert.Equal((72 * (40 + end)) + (2 + end) * (72 + 24), results[0].Evaluations);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Another_schedule_is_fitted_where_a_trial_on_some_latents_ends_nearer(bool isNearer)
    {
        var denoiser = new CountingDenoiser(SearchModels.Mixture());
        SamplingSchedule near = Karras(4), far = new([80, 79, 78, 77, 0.002]);
        SamplingSchedule[] schedules = isNearer ? [far, near] : [near, far];
        var options = Options with { TeacherSteps = 40 };
        var (_, taken, result) = new SolverFit(denoiser, denoiser, options, 0, new PixelEmbedding()).Fit([schedules], null, Token).Single();
        Assert.Equal(isNearer ? 1 : 0, taken);
        Assert.Equal(near, result.Schedule);
        // 32 of the 48 latents are tried, 24 judge; without a fit those 24 are run once more.
        long trial = 4 * (32 + 24), whole = 4 * (48 + 24 + 24);
        Assert.Equal((72 * 40) + trial + (isNearer ? 2 * whole : whole), result.Evaluations);
        Assert.Equal(result.Evaluations, denoiser.Images);
        Assert.Equal(Fit(denoiser, options, near).Solver, result.Solver);
    }

    [Fact]
    public void Batches_change_nothing_but_rounding()
    {
        using var denoiser = SearchModels.Mixture();
        var one = (FittedSolver)Fit(denoiser, Options with { BatchSize = 7 }, Karras(4)).Solver;
        var other = (FittedSolver)Fit(denoiser, Options with { BatchSize = 48 }, Karras(4)).Solver;
        foreach (var (a, b) in one.Corrections.SelectMany(c => c.Weights).Zip(other.Corrections.SelectMany(c => c.Weights)))
            Assert.Equal(a, b, 1e-3 * (1 + Math.Abs(a)));
    }

    [Fact]
    public void A_fit_that_is_no_better_returns_the_base()
    {
        using var denoiser = SearchModels.Mixture();
        var result = Fit(denoiser, Options with { Corrections = FitCorrections.None }, Karras(3));
        Assert.Equal("euler", result.Solver.Name);
        Assert.Contains("kept euler", result.Stop, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Refining_moves_sigmas_and_weights_nearer_to_the_teacher(int steps)
    {
        using var denoiser = SearchModels.Mixture();
        var plain = Fit(denoiser, Options, Karras(steps));
        var refined = Fit(denoiser, Options with { RefineIterations = 8 }, Karras(steps));
        Assert.InRange(refined.HeldOut.Value, 0, 0.8 * plain.HeldOut.Value);
        Assert.NotEqual(plain.Schedule, refined.Schedule);
        Assert.Equal((plain.Schedule.Sigmas[0], plain.Schedule.Sigmas[^1]), (refined.Schedule.Sigmas[0], refined.Schedule.Sigmas[^1]));
        refined.Solver.CheckSchedule(refined.Schedule);
        Assert.Contains("refinement", refined.Stop, StringComparison.Ordinal);
    }

    [Fact]
    public void A_solver_fitted_elsewhere_steps_over_no_other_sigmas()
    {
        using var denoiser = SearchModels.Mixture();
        var fitted = Fit(denoiser, Options, Karras(3)).Solver;
        var e = Assert.Throws<InvalidInputException>(() => Ends(denoiser, fitted, Karras(4)));
        Assert.Contains("was fitted on the sigmas", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_refused_together()
    {
        using var denoiser = SearchModels.Mixture();
        var e = Assert.Throws<InvalidInputException>(
            () => Fit(denoiser, Options with { Latents = 1, Ridge = double.NaN, Order = 0, BatchSize = 0 }, Karras(3)));
        foreach (string word in new[] { "latents", "ridge", "order", "batch" })
            Assert.Contains(word, e.Message, StringComparison.Ordinal);
    }

    private static SamplingSchedule Karras(int steps) => StandardSchedule.Karras().Create(steps, 0.002, 80);

    private static FittedSchedule Fit(IDenoiser denoiser, FitOptions options, SamplingSchedule schedule)
        => new SolverFit(denoiser, denoiser, options, 0, new PixelEmbedding()).Fit([[schedule]], null, Token).Single().Result;

    private static float[] Ends(IDenoiser denoiser, ISolver solver, SamplingSchedule schedule, int count = 5)
    {
        using var scope = NewDisposeScope();
        return [.. new PairedSampling(denoiser).Endpoints(solver, schedule, SeedList.Of(count), Token).data<float>()];
    }
}
