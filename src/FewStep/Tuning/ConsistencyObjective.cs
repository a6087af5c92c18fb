using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>Segmented consistency: from every point of a teacher's path inside an interval of the schedule, the student's Euler step to the
/// interval's end should arrive at the same state. Regression is its first stage.</summary>
/// <remarks>
/// The target at a point is where the student itself arrives, without gradients, from a point further down the same path. At first that
/// point is the interval's end, which is regression to the teacher's state; then it comes nearer, halving the way, as in easy consistency
/// tuning (2406.14548), on the intervals of multistep consistency models (2403.06807). No second network, no discriminator.
/// </remarks>
internal sealed class ConsistencyObjective : ITuningObjective
{
    // The start of an interval is the only point of it that a sampler meets.
    private const double StartShare = 0.3;

    private readonly TuningNetwork _network;
    private readonly TuningOptions _options;
    private readonly IImageEmbedding _embedding;
    private readonly TeacherBlocks _blocks;
    private readonly HeldOutEnds _heldOut;
    private readonly double[] _sigmas; // of the teacher's path
    private readonly int[] _ends; // of the intervals on it; an interval begins where the one before ends

    public ConsistencyObjective(TuningNetwork network, Sampler sampler, TuningOptions options, IImageEmbedding embedding)
    {
        var schedule = sampler.Schedule;
        var teacher = options.Teacher(network.Teacher, schedule);
        (_network, _options, _embedding) = (network, options, embedding);
        _blocks = new TeacherBlocks(network.Model, options, teacher.SolveFinely);
        _heldOut = new HeldOutEnds(network, sampler, teacher, options, embedding);
        _sigmas = LevelWeights.Nodes(teacher.Fine);
        int[] inner = [.. Enumerable.Range(1, schedule.Steps).Select(k => k * teacher.Substeps)];
        _ends = schedule.Terminal == ScheduleTerminal.Zero ? [.. inner, _sigmas.Length - 1] : inner;
    }

    public string HeldOutMetric => _heldOut.Name;

    public Tensor Backpropagate(long update, Tensor weights, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var batch = _blocks.Batch(update, cancellation);
        using var generator = new Generator((ulong)TuningSeeds.Noise(_options.Seed, update));
        float[] draws = rand([_ends.Length * _options.Batch], generator: generator).data<float>().ToArray();
        var total = zeros(1, device: weights.device);
        int first = 0;
        foreach (var (paths, share) in _blocks.Parts(batch))
        {
            int count = (int)paths.States[0].shape[0];
            for (int k = 0; k < _ends.Length; k++)
            {
                using var level = NewDisposeScope();
                var loss = Loss(update, k, paths, draws.AsSpan((k * _options.Batch) + first, count), weights)
                    .Times(share / _ends.Length);
                loss.backward();
                total.Plus_(loss.detach());
            }

            first += count;
        }

        return total.MoveToOuterDisposeScope();
    }

    public double HeldOut(Tensor weights, CancellationToken cancellation) => _heldOut.Distance(weights, cancellation);

    public void Dispose()
    {
        _blocks.Dispose();
        _heldOut.Dispose();
    }

    private Tensor Loss(long update, int interval, TeacherBlock paths, ReadOnlySpan<float> draws, Tensor weights)
    {
        var (first, last) = (interval == 0 ? 0 : _ends[interval - 1], _ends[interval]);
        int gap = Gap(update, last - first);
        int[] points = new int[draws.Length];
        for (int b = 0; b < points.Length; b++)
            points[b] = first + (int)(Math.Max(0, (draws[b] - StartShare) / (1 - StartShare)) * (last - first));
        int[] further = [.. points.Select(p => Math.Min(last, p + gap))];
        var arrived = Land(_network.Student(weights), paths, points, last);
        var target = Targets(paths, further, last, weights);
        var error = last == _sigmas.Length - 1 ? _embedding.Embed(arrived) - _embedding.Embed(target) : arrived - target;
        return error.Squared().mean();
    }

    // Rows that are at the end already have the teacher's state; the others go there by the student's step.
    private Tensor Targets(TeacherBlock paths, int[] points, int last, Tensor weights)
    {
        using var noGradient = no_grad();
        if (points.All(p => p == last))
            return At(paths, points);
        var own = Land(_network.HeldOut(weights), paths, [.. points.Select(p => Math.Min(p, last - 1))], last);
        return lerp(own, At(paths, points), Column(points.Select(p => p == last ? 1f : 0f), own.device));
    }

    private Tensor Land(IDenoiser denoiser, TeacherBlock paths, int[] points, int last)
    {
        var x = At(paths, points);
        var D = denoiser.Denoise(x, Column(points.Select(p => (float)_sigmas[p]), x.device).flatten(), paths.Labels);
        return lerp(D, x, Column(points.Select(p => (float)(_sigmas[last] / _sigmas[p])), x.device));
    }

    // The state of each path at a point of its own.
    private static Tensor At(TeacherBlock paths, int[] points)
    {
        using var scope = NewDisposeScope();
        return cat([.. points.Select((p, b) => paths.States[p].narrow(0, b, 1))]).MoveToOuterDisposeScope();
    }

    private static Tensor Column(IEnumerable<float> values, Device device)
        => HostCopy.To(tensor(values.ToArray()), device).view(-1, 1, 1, 1);

    private int Gap(long update, int length)
    {
        if (_options.Loss == TuningLoss.Regression)
            return length;
        int stages = 1 + (int)Math.Ceiling(Math.Log2(length));
        return Math.Max(1, length >> (int)(update * stages / _options.Updates));
    }
}
