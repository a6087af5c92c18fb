using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Sampling;

public sealed class LinearSamplerTests
{
    private const int Steps = 5;
    private static readonly SamplingSchedule Schedule = StandardSchedule.Karras().Create(Steps, 0.01, 40);

    private static readonly GaussianMixture Mixture = new(
        new ImageShape(1, 1, 2), [0.4, 0.6], [[0.5, -0.8], [-0.3, 0.9]], [0.2, 0.4]);

    public static TheoryData<string> Solvers =>
    [
        .. SolverCatalog.All.Where(s => !s.AddsNoise).Select(s => s.ThresholdsDenoised ? $"{s.Name}:thresholding=false" : s.Name),
        "unipc:2:variant=bh1:predict=noise", "dpmpp:2:predict=noise", "deis:3:coefficients=exact", "dpm2:r=0.7",
    ];

    [Theory]
    [MemberData(nameof(Solvers))]
    public void It_computes_what_the_solver_does(string text)
    {
        foreach (var terminal in Enum.GetValues<ScheduleTerminal>())
            Same(new Sampler(new SamplingSchedule(Schedule.Sigmas, terminal), SolverCatalog.Find(text)));
    }

    [Fact]
    public void A_fitted_solver_s_noise_levels_are_those_that_the_network_is_told()
    {
        StepCorrection[] corrections = [.. Enumerable.Range(0, Steps).Select(
            i => new StepCorrection
            {
                Differences = i > 1 ? [0.2, -0.1] : [],
                Slope = 0.05,
                Scale = 0.01,
                NoiseLevel = Schedule.Sigmas[i] * 1.1,
            })];
        var sampler = new Sampler(Schedule, new FittedSolver(SolverCatalog.Find("ipndm:3"), Schedule, corrections));
        Same(sampler);
        Assert.Equal(Schedule.Sigmas.Take(Steps).Select(s => s * 1.1), LinearSampler.Of(sampler).Calls.Select(c => c.Sigma));
    }

    [Fact]
    public void Eulers_end_is_the_convex_combination_of_start_and_outputs_that_its_formula_says()
    {
        var linear = LinearSampler.Of(new Sampler(Schedule, SolverCatalog.Find("euler")));
        Assert.Equal(Steps, linear.Calls.Length);
        Assert.Equal([Schedule.Sigmas[0]], linear.Calls[0].Weights);
        double rest = Schedule.Sigmas[^1] / Schedule.Sigmas[0];
        Assert.Equal(Schedule.Sigmas[0] * rest, linear.End[0], 1e-12);
        Assert.Equal(1 - rest, linear.End.Skip(1).Sum(), 1e-12);
    }

    [Fact]
    public void What_depends_on_the_image_is_refused_with_what_to_do_instead()
    {
        var thresholds = Assert.Throws<InvalidInputException>(() => LinearSampler.Of(new(Schedule, SolverCatalog.Find("dpmpp:3"))));
        Assert.Contains("dpmpp:3", thresholds.Message, StringComparison.Ordinal);
        Assert.Contains("thresholding=false", thresholds.Message, StringComparison.Ordinal);
        Assert.Contains("squares", Assert.Throws<InvalidInputException>(() => LinearSampler.Of(new(Schedule, new Squares()))).Message,
            StringComparison.Ordinal);
    }

    private static void Same(Sampler sampler)
    {
        using var scope = NewDisposeScope();
        using var denoiser = new GaussianMixtureDenoiser(Mixture, 1e-3, 100);
        var latents = Latents.Draw([1, 2, 3], denoiser.Shape, ScalarType.Float64);
        var linear = LinearSampler.Of(sampler);
        List<Tensor> terms = [latents];
        Tensor Sum(IReadOnlyList<double> weights) => weights.Select((w, i) => terms[i] * w).Aggregate((a, b) => a + b);
        foreach (var call in linear.Calls)
            terms.Add(denoiser.DenoiseAt(Sum(call.Weights), call.Sigma, null));
        var own = new SamplingLoop(denoiser, sampler.Solver, sampler.Schedule).Sample(latents);
        Assert.Equal(own.EvaluationsPerImage, linear.Calls.Length);
        Assert.InRange((Sum(linear.End) - own.Samples).abs().max().item<double>(), 0, 1e-9);
    }

    private sealed class Squares : ISolver
    {
        public string Name => "squares";
        public int Order => 1;
        public string Description => Name;
        public int HistoryLength => 0;
        public SolverResult Step(SolverStep step) => new(step.State * step.State);
    }
}
