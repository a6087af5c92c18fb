using BenchmarkDotNet.Attributes;
using FewStep.Networks;

namespace FewStep.Bench;

/// <summary>Images a second of one network evaluation without gradients.</summary>
[BenchmarkCategory("1 forward")]
public class ForwardBenchmarks
{
    private const int Batch = 64;
    private NetworkDenoiser _denoiser = null!;
    private Tensor _x = null!;
    private Tensor _sigma = null!;
    private Tensor _labels = null!;

    [GlobalSetup(Target = nameof(Float32))]
    public void SetUpFloat32() => SetUp(ScalarType.Float32);

    [GlobalSetup(Target = nameof(BFloat16))]
    public void SetUpBFloat16() => SetUp(ScalarType.BFloat16);

    [Benchmark(Description = "forward, float32 (image)", OperationsPerInvoke = Batch, Baseline = true)]
    public void Float32() => Evaluate();

    [Benchmark(Description = "forward, bfloat16 (image)", OperationsPerInvoke = Batch)]
    public void BFloat16() => Evaluate();

    [GlobalCleanup]
    public void CleanUp()
    {
        _x.Dispose();
        _sigma.Dispose();
        _labels.Dispose();
        _denoiser.Dispose();
    }

    private void SetUp(ScalarType type)
    {
        _denoiser = BenchModel.Open(type);
        (_x, _sigma, _labels) = (BenchModel.Images(_denoiser, Batch), full(1, 1f), BenchModel.Labels(_denoiser, Batch));
    }

    private void Evaluate()
    {
        using var scope = NewDisposeScope();
        _denoiser.Denoise(_x, _sigma, _labels);
    }
}
