using BenchmarkDotNet.Attributes;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Bench;

/// <summary>What the sampler costs beside the network: Euler in four steps against the same four evaluations.</summary>
[BenchmarkCategory("3 sampler")]
public class SamplerBenchmarks
{
    private const int Batch = 64;
    private const int Steps = 4;
    private NetworkDenoiser _denoiser = null!;
    private SamplingLoop _sampler = null!;
    private SamplingLoop _withoutNetwork = null!;
    private Tensor _latents = null!;
    private Tensor _labels = null!;
    private Tensor[] _sigmas = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _denoiser = BenchModel.Open(ScalarType.BFloat16);
        var schedule = StandardSchedule.Karras().Create(Steps, _denoiser.SigmaMin, _denoiser.SigmaMax);
        _sampler = new SamplingLoop(_denoiser, new EulerSolver(), schedule);
        _withoutNetwork = new SamplingLoop(new FreeDenoiser(_denoiser), new EulerSolver(), schedule);
        (_latents, _labels) = (BenchModel.Images(_denoiser, Batch), BenchModel.Labels(_denoiser, Batch));
        _sigmas = [.. schedule.Sigmas.Take(Steps).Select(s => full(1, (float)s))];
    }

    [Benchmark(Description = "4 bare evaluations, bfloat16 (image)", OperationsPerInvoke = Batch, Baseline = true)]
    public void Bare()
    {
        foreach (var sigma in _sigmas)
        {
            using var scope = NewDisposeScope();
            _denoiser.Denoise(_latents, sigma, _labels);
        }
    }

    [Benchmark(Description = "Euler sampler in 4 steps, bfloat16 (image)", OperationsPerInvoke = Batch)]
    public void Sampled()
    {
        using var scope = NewDisposeScope();
        _sampler.Sample(_latents, _labels);
    }

    [Benchmark(Description = "own part of the sampler in that (image)", OperationsPerInvoke = Batch)]
    public void WithoutNetwork()
    {
        using var scope = NewDisposeScope();
        _withoutNetwork.Sample(_latents, _labels);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _latents.Dispose();
        _labels.Dispose();
        foreach (var sigma in _sigmas)
            sigma.Dispose();

        _denoiser.Dispose();
    }

    /// <summary>Answers at once, with a copy of its input.</summary>
    private sealed class FreeDenoiser(IDenoiser model) : IDenoiser
    {
        public ImageShape Shape => model.Shape;

        public int Classes => model.Classes;

        public double SigmaMin => model.SigmaMin;

        public double SigmaMax => model.SigmaMax;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) => x.clone();
    }
}
