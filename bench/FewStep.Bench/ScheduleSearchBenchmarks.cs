using BenchmarkDotNet.Attributes;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Search;

namespace FewStep.Bench;

/// <summary>Phase 1: network evaluations a second of the loss curve's measurement, and the dynamic programme for all schedules of up to 20
/// steps on 1,000 noise levels.</summary>
public class ScheduleSearchBenchmarks
{
    private const int Points = 16;
    private const int Images = 16;
    private const int Levels = 1000;
    private const int MaximumSteps = 20;
    private const int Solves = 500;
    private NetworkDenoiser? _denoiser;
    private LossCurveEstimator _estimator = null!;
    private double[] _weighting = [];
    private double[] _losses = [];

    [GlobalSetup(Target = nameof(MeasureCurve))]
    public void SetUpCurve()
    {
        _denoiser = BenchModel.Open(ScalarType.BFloat16);
        // No precision is enough, so that every run ends at the same number of images.
        var options = new LossCurveOptions { Points = Points, MinimumImages = Images, MaximumImages = Images, RelativePrecision = 1e-9 };
        _estimator = new LossCurveEstimator(_denoiser, new RandomImages(_denoiser.Shape), options);
    }

    [GlobalSetup(Target = nameof(SolveAll))]
    public void SetUpProgram()
    {
        // In sampling order: sigma from 80 to 0.002, g = -ln(sigma) rising, and the loss of normal data falling.
        double[] sigmas = [.. Enumerable.Range(0, Levels).Select(i => 80 * Math.Pow(0.002 / 80, i / (Levels - 1.0)))];
        _weighting = [.. sigmas.Select(s => -Math.Log(s))];
        _losses = [.. sigmas.Select(s => 0.25 * s * s / (0.25 + (s * s)))];
    }

    [BenchmarkCategory("4 curve")]
    [Benchmark(Description = "loss curve, bfloat16 (evaluation)", OperationsPerInvoke = 2 * Points * Images)]
    public object MeasureCurve() => _estimator.Estimate();

    [BenchmarkCategory("5 search")]
    [Benchmark(Description = "dynamic programme, 1,000 sigmas, all N up to 20", OperationsPerInvoke = Solves)]
    public double SolveAll()
    {
        double sum = 0;
        for (int i = 0; i < Solves; i++)
            sum += ScheduleDynamicProgram.Solve(_weighting, _losses, MaximumSteps).Path(MaximumSteps)[1];

        return sum;
    }

    [GlobalCleanup]
    public void CleanUp() => _denoiser?.Dispose();

    private sealed class RandomImages(ImageShape shape) : ITrainingImages
    {
        public ImageShape Shape => shape;

        public long Count => 10_000;

        public (Tensor Images, Tensor? Labels) Read(IReadOnlyList<long> indices) => (rand(shape.Batch(indices.Count)) * 2 - 1, null);
    }
}
