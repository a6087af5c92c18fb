using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>Segmented consistency: from every point of a teacher's path inside an interval of the schedule, the student's Euler step to the
/// interval's end should arrive at the same state. Regression is its first stage.</summary>
/// <remarks>
/// The target at a point is where the student itself arrives, without gradients, from a point further down the same path. At first that
/// point is the interval's end, which is regression to the teacher's state; then it comes nearer, halving the way, as in easy consistency
/// tuning (2406.14548), on the intervals of multistep consistency models (2403.06807). No second network, no discriminator.
/// </remarks>
internal sealed class ConsistencyObjective : TeacherObjective
{
    // The start of an interval is the only point of it that a sampler meets.
    private const double StartShare = 0.3;

    private readonly TuningOptions _options;
    private readonly double[] _sigmas; // of the teacher's path
    private readonly int[] _ends; // of the intervals on it; an interval begins where the one before ends

    public ConsistencyObjective(TuningNetwork network, Sampler sampler, TuningOptions options, IImageEmbedding embedding)
        : base(network, sampler, options, embedding,
            (teacher, latents, labels, cancellation) => teacher.SolveFinely(latents, labels, cancellation))
    {
        _options = options;
        _sigmas = LevelWeights.Nodes(Teacher.Fine);
        int[] inner = [.. Enumerable.Range(1, sampler.Steps).Select(k => k * Teacher.Substeps)];
        _ends = sampler.Schedule.Terminal == ScheduleTerminal.Zero ? [.. inner, _sigmas.Length - 1] : inner;
    }

    protected override void Backpropagate(long update, TeacherPart part, Tensor weights, Action<Tensor> add)
    {
        // Drawn for the whole batch, so that parts change nothing.
        using var generator = new Generator((ulong)TuningSeeds.Noise(_options.Seed, update));
        float[] draws = rand([_ends.Length * _options.Batch], generator: generator).data<float>().ToArray();
        int count = (int)part.Paths.States[0].shape[0];
        for (int k = 0; k < _ends.Length; k++)
        {
            using var level = NewDisposeScope();
            var own = draws.AsSpan((k * _options.Batch) + part.First, count);
            add(Loss(update, k, part.Paths, own, weights).Times(part.Share / _ends.Length));
        }
    }

    private Tensor Loss(long update, int interval, TeacherBlock paths, ReadOnlySpan<float> draws, Tensor weights)
    {
        var (first, last) = (interval == 0 ? 0 : _ends[interval - 1], _ends[interval]);
        int gap = Gap(update, last - first);
        int[] points = new int[draws.Length];
        for (int b = 0; b < points.Length; b++)
            points[b] = first + (int)(Math.Max(0, (draws[b] - StartShare) / (1 - StartShare)) * (last - first));
        int[] further = [.. points.Select(p => Math.Min(last, p + gap))];
        var arrived = Land(Network.Student(weights), paths, points, last);
        var target = Targets(paths, further, last, weights);
        var error = last == _sigmas.Length - 1 ? Embedding.Embed(arrived) - Embedding.Embed(target) : arrived - target;
        return error.Squared().mean();
    }

    // Rows that are at the end already have the teacher's state; the others go there by the student's step.
    private Tensor Targets(TeacherBlock paths, int[] points, int last, Tensor weights)
    {
        using var noGradient = no_grad();
        if (points.All(p => p == last))
            return At(paths, points);
        var own = Land(Network.HeldOut(weights), paths, [.. points.Select(p => Math.Min(p, last - 1))], last);
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
