using FewStep.Collectives;
using FewStep.Data;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>The denoising loss on the levels of a schedule: every image of a batch is noised to every level.</summary>
internal sealed class DenoiseObjective : ITuningObjective
{
    private readonly TuningNetwork _network;
    private readonly TuningOptions _options;
    private readonly ImageBatches _training;
    private readonly ImageBatches _heldOut;
    private readonly IAutoencoder? _autoencoder;
    private readonly BatchPart _own; // of an update's images
    private readonly int _heldOutCount;
    private readonly double[] _sigmas;
    private readonly double[] _weights;
    private PrefetchingBatches? _queue;
    private long _queuePosition;

    public DenoiseObjective(TuningNetwork network, SamplingSchedule schedule, TuningOptions options, TuningImages images)
    {
        (_network, _options, _autoencoder) = (network, options, images.Autoencoder);
        _own = network.Ranks.PartOf(options.Batch);
        _training = new ImageBatches(
            images.Training, new ImageBatchOptions { BatchSize = options.Batch, Seed = options.Seed, Flip = images.Flip, Part = _own });
        _heldOutCount = Math.Min(options.HeldOutCount, images.HeldOut.Count);
        // shuffled: a set may be sorted by class
        _heldOut = new ImageBatches(images.HeldOut, new ImageBatchOptions { BatchSize = Math.Min(options.EvaluationBatch, _heldOutCount) });
        _sigmas = LevelWeights.Nodes(schedule)[..^1];
        _weights = LevelWeights.For(options.LevelWeighting, schedule, network.Model.Preconditioning);
    }

    public string HeldOutMetric => "weighted denoising loss on the schedule's sigmas";
    private int Levels => _sigmas.Length;

    public Tensor Backpropagate(long update, Tensor weights, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var batch = Read(update * _options.Batch);
        var clean = Clean(batch);
        using var generator = new Generator((ulong)TuningSeeds.Noise(_options.Seed, update));
        var labels = _network.Model.Classes == 0 ? null : batch.Labels;
        if (labels is not null && _options.LabelDropout > 0)
        {
            using var rate = TensorArithmetic.Number(_options.LabelDropout);
            labels = labels.masked_fill(
                HostCopy.To(_own.Of(rand([_own.Batch], generator: generator)).lt(rate), weights.device), TensorArithmetic.MinusOne);
        }

        var total = zeros(1, device: weights.device);
        var student = _network.Student(weights);
        for (int i = 0; i < Levels; i++)
        {
            using var level = NewDisposeScope();
            // Drawn for the whole batch, so that parts change nothing.
            var noise = HostCopy.To(_own.Of(randn([_own.Batch, .. clean.shape[1..]], generator: generator)), weights.device);
            for (long first = 0; first < batch.Count; first += _options.EvaluationBatch)
            {
                using var part = NewDisposeScope();
                long count = Math.Min(_options.EvaluationBatch, batch.Count - first);
                Tensor Cut(Tensor t) => t.narrow(0, first, count);
                var losses = Loss(student, Cut(clean), labels is null ? null : Cut(labels), Cut(noise), i);
                var loss = losses.mean().Times((double)count / _own.Batch).Over(Levels);
                loss.backward();
                total.Plus_(loss.detach());
            }
        }

        return total.MoveToOuterDisposeScope();
    }

    public double HeldOut(Tensor weights, CancellationToken cancellation)
    {
        using var noGradient = no_grad();
        var denoiser = _network.HeldOut(weights);
        using var all = NewDisposeScope();
        var sum = zeros(1, float64, weights.device);
        var own = _network.Ranks.PartOf(_heldOutCount);
        for (int start = own.First; start < own.End; start += _heldOut.Options.BatchSize)
        {
            using var scope = NewDisposeScope();
            var batch = _heldOut.Read(start, weights.device);
            int count = Math.Min((int)batch.Count, own.End - start);
            var images = Clean(batch).narrow(0, 0, count);
            var labels = _network.Model.Classes == 0 ? null : batch.Labels?.narrow(0, 0, count);
            var noise = Latents.Draw(SeedPlan.HeldOut(start, count), _network.Model.Shape, device: weights.device);
            for (int i = 0; i < Levels; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var level = NewDisposeScope();
                sum.Plus_(Loss(denoiser, images, labels, noise, i).to(ScalarType.Float64).sum().Over(Levels));
            }
        }

        return _network.Ranks.Sum([sum.item<double>()])[0] / _heldOutCount;
    }

    public void Dispose() => _queue?.Dispose();

    private Tensor Clean(ImageBatch batch) => _autoencoder?.EncodeAll(batch.Images) ?? batch.Images;

    // Each image's weighted loss [B].
    private Tensor Loss(IDenoiser denoiser, Tensor images, Tensor? labels, Tensor noise, int level)
    {
        var sigma = TensorArithmetic.Full([images.shape[0]], _sigmas[level], images.dtype, images.device);
        var D = denoiser.Denoise(images.Plus(noise, _sigmas[level]), sigma, labels);
        return (D - images).Squared().mean([1, 2, 3]).Times(_weights[level]);
    }

    private ImageBatch Read(long position)
    {
        if (_queue is null || _queuePosition != position)
        {
            _queue?.Dispose();
            _queue = new PrefetchingBatches(_training, position, device: _network.Model.Device);
        }

        var batch = _queue.Next();
        _queuePosition = position + _options.Batch;
        return batch;
    }
}
