using BenchmarkDotNet.Attributes;
using FewStep.Data;
using FewStep.Networks;
using FewStep.Tuning;

namespace FewStep.Bench;

/// <summary>Images a second of whole training updates: loss, gradient, AdamW and averaging, as the embedded model was trained.</summary>
[BenchmarkCategory("2 training")]
public class TrainingBenchmarks
{
    private const int Batch = 128;
    private NetworkDenoiser _denoiser = null!;
    private TrainingState _state = null!;
    private TrainingLoop _loop = null!;
    private Tensor _images = null!;
    private Tensor _labels = null!;

    [GlobalSetup(Target = nameof(Float32))]
    public void SetUpFloat32() => SetUp(ScalarType.Float32);

    [GlobalSetup(Target = nameof(BFloat16))]
    public void SetUpBFloat16() => SetUp(ScalarType.BFloat16);

    [Benchmark(Description = "training update, float32 (image)", OperationsPerInvoke = Batch, Baseline = true)]
    public void Float32() => _loop.Update(CancellationToken.None);

    [Benchmark(Description = "training update, bfloat16 (image)", OperationsPerInvoke = Batch)]
    public void BFloat16() => _loop.Update(CancellationToken.None);

    [GlobalCleanup]
    public void CleanUp()
    {
        _images.Dispose();
        _labels.Dispose();
        _state.Dispose();
        _denoiser.Dispose();
    }

    private void SetUp(ScalarType type)
    {
        _denoiser = BenchModel.Open(type);
        var options = new TrainerOptions { Images = 1_000_000, Batch = Batch };
        _state = new TrainingState(_denoiser.Weights.clone(), options.AdamW, options.EmaHalfLifeImages);
        var objective = new PretrainingObjective(_denoiser, options, () => new ImageBatch(0, _images.alias(), _labels.alias()), _ => { });
        _loop = new TrainingLoop(_state, objective);
        (_images, _labels) = (BenchModel.Images(_denoiser, Batch), BenchModel.Labels(_denoiser, Batch));
    }
}
