using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>Segmented consistency: from points of a teacher's path inside an interval of the schedule, the student's Euler step to the
/// interval's end should arrive at the same state. Regression is its first stage.</summary>
/// <remarks>
/// The target at a point is where the student itself arrives, without gradients, from a point further down the same path. At first that
/// point is the interval's end, which is regression to the teacher's state; then it comes nearer, halving the way, as in easy consistency
/// tuning (2406.14548), on the intervals of multistep consistency models (2403.06807). No second network, no discriminator.
/// A sampler meets nothing of an interval but its start, and there its own state in place of the teacher's: starts are where the student's
/// steps arrive, and in regression more and more points are, in the end all. In consistency their share stays, since the points between
/// are what the targets are made of: left alone they drift, and the starts after them.
/// </remarks>
internal sealed class ConsistencyObjective : TeacherObjective
{
    private const double FirstStartShare = 0.3; // of the points

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
        float[] draws = Draws(update);
        var start = part.Paths.States[0];
        for (int k = 0; k < _ends.Length; k++)
        {
            using var level = NewDisposeScope();
            add(Loss(update, k, part, Points(update, draws, k, part), start, weights).Over(_ends.Length));
            if (k + 1 < _ends.Length)
                start = Next(Network.HeldOut(weights), part.Paths, k, start).MoveToOuterDisposeScope();
        }
    }

    protected override Tensor Images(long update, TeacherPart part, IDenoiser student)
    {
        var start = part.Paths.States[0];
        for (int k = 0; k + 1 < _ends.Length; k++)
            start = Next(student, part.Paths, k, start);
        return Arrive(student, part.Paths, Points(update, Draws(update), _ends.Length - 1, part), _ends.Length - 1, start);
    }

    private Tensor Loss(long update, int interval, TeacherPart part, int[] points, Tensor start, Tensor weights)
    {
        var (first, last) = Bounds(interval);
        int gap = Gap(update, last - first);
        var arrived = Arrive(Network.Student(weights), part.Paths, points, interval, start);
        var target = Targets(part.Paths, [.. points.Select(p => Math.Min(last, p + gap))], last, weights);
        return last == _sigmas.Length - 1 ? ImageLoss(arrived, target, part)
            : (arrived - (target ?? part.Paths.States[last])).Squared().mean().Times(part.Share);
    }

    private (int First, int Last) Bounds(int interval) => (interval == 0 ? 0 : _ends[interval - 1], _ends[interval]);

    // Drawn for the whole batch, so that parts change nothing.
    private float[] Draws(long update)
    {
        using var generator = new Generator((ulong)TuningSeeds.Noise(_options.Seed, update));
        return rand([_ends.Length * _options.Batch], generator: generator).data<float>().ToArray();
    }

    private int[] Points(long update, float[] draws, int interval, TeacherPart part)
    {
        var (first, last) = Bounds(interval);
        double starts = FirstStartShare + (_options.Loss == TuningLoss.Regression ? (1 - FirstStartShare) * update / _options.Updates : 0);
        return [.. draws.Skip((interval * _options.Batch) + part.First).Take((int)part.Paths.States[0].shape[0])
            .Select(draw => first + (int)(Math.Max(0, (draw - starts) / (1 - starts)) * (last - first)))];
    }

    // Rows that are at the end already have the teacher's state, which null is for all of; the others go there by the student's step.
    private Tensor? Targets(TeacherBlock paths, int[] points, int last, Tensor weights)
    {
        using var noGradient = no_grad();
        if (points.All(p => p == last))
            return null;
        int[] before = [.. points.Select(p => Math.Min(p, last - 1))];
        var own = Land(Network.HeldOut(weights), At(paths, before), before, last, paths.Labels);
        return lerp(own, At(paths, points), Column(points.Select(p => p == last ? 1f : 0f), own.device));
    }

    // Where the student's own step takes the states at an interval's start.
    private Tensor Next(IDenoiser student, TeacherBlock paths, int interval, Tensor start)
    {
        using var noGradient = no_grad();
        var (first, last) = Bounds(interval);
        return Land(student, start, [.. Enumerable.Repeat(first, (int)start.shape[0])], last, paths.Labels);
    }

    // From points of an interval to its end; at its start the states are the student's own.
    private Tensor Arrive(IDenoiser student, TeacherBlock paths, int[] points, int interval, Tensor start)
    {
        var (first, last) = Bounds(interval);
        var begins = HostCopy.To(tensor(points.Select(p => p == first).ToArray()), start.device).view(-1, 1, 1, 1);
        return Land(student, where(begins, start, At(paths, points)), points, last, paths.Labels);
    }

    private Tensor Land(IDenoiser denoiser, Tensor x, int[] points, int last, Tensor? labels)
    {
        var D = denoiser.Denoise(x, Column(points.Select(p => (float)_sigmas[p]), x.device).flatten(), labels);
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
