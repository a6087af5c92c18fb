using FewStep.Data;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>The teacher's paths for every update of a tuning, made in blocks that are used several times, each time in another order. What
/// an update gets depends on the options and its number only, so a resumed tuning makes the same block again.</summary>
internal sealed class TeacherBlocks(TuningNetwork network, SamplingSchedule schedule, TuningOptions options) : IDisposable
{
    private readonly int _updatesPerBlock = checked(options.TeacherBatches * options.TeacherReuse);
    private TeacherBlock? _block;
    private EpochShuffle? _order;
    private long _number = -1;

    /// <returns>A batch of paths; it belongs to the current dispose scope.</returns>
    public TeacherBlock Batch(long update, CancellationToken cancellation)
    {
        long number = update / _updatesPerBlock;
        if (number != _number)
        {
            _block?.Dispose();
            (_block, _number) = (null, -1);
            // The last block is no larger than the remaining updates need.
            long remaining = Math.Max(1, options.Updates - number * _updatesPerBlock);
            int batches = (int)Math.Min(options.TeacherBatches, (remaining + options.TeacherReuse - 1) / options.TeacherReuse);
            _block = Make(number * options.TeacherBatches, batches, cancellation);
            _order = new EpochShuffle(batches * options.Batch, TuningSeeds.Shuffle(options.Seed, number));
            _number = number;
        }

        long first = (update - number * _updatesPerBlock) * options.Batch;
        return _block!.Rows([.. Enumerable.Range(0, options.Batch).Select(k => (long)_order![first + k])]);
    }

    public void Dispose() => _block?.Dispose();

    private TeacherBlock Make(long firstBatch, int count, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var batches = new List<TeacherBlock>();
        for (int b = 0; b < count; b++)
            batches.Add(Make(firstBatch + b, cancellation));
        return TeacherBlock.Join(batches).Keep();
    }

    private TeacherBlock Make(long batch, CancellationToken cancellation)
    {
        var device = network.Model.Device;
        long position = batch * options.Batch;
        long[] seeds = TuningSeeds.Training(options.Seed, position, options.Batch);
        var moved = NodeJitter.Move(schedule, options.Jitter, TuningSeeds.Jitter(options.Seed, batch));
        var labels = SeedLabels.For(seeds, network.Model.Classes, device: device);
        if (labels is not null && options.LabelDropout > 0)
        {
            bool[] dropped = [.. Enumerable.Range(0, options.Batch)
                .Select(k => TuningSeeds.DropsLabel(options.Seed, position + k, options.LabelDropout))];
            labels = labels.masked_fill(HostCopy.To(tensor(dropped), device), TensorArithmetic.MinusOne);
        }

        var states = Solve(new TeacherPath(network.Teacher, moved, SolverCatalog.Find(options.TeacherSolver), options.TeacherSubsteps),
            seeds, labels, cancellation);
        double[] nodes = [.. moved.Sigmas, .. moved.Terminal == ScheduleTerminal.Zero ? [0] : Array.Empty<double>()];
        var (sigma, next) = (HostCopy.To(tensor(nodes[..^1]), device), HostCopy.To(tensor(nodes[1..]), device));
        var weight = LevelWeights.For(options.LevelWeighting, sigma, next, moved.Sigmas[^1], network.Model.Preconditioning);
        Tensor Rows(Tensor levels) => levels.to(ScalarType.Float32).expand(options.Batch, -1);
        return new(states, Rows(sigma), Rows(next / sigma), Rows(weight), labels);
    }

    private Tensor[] Solve(TeacherPath path, long[] seeds, Tensor? labels, CancellationToken cancellation)
    {
        var parts = new List<Tensor[]>();
        for (int first = 0; first < seeds.Length; first += options.EvaluationBatch)
        {
            long[] part = [.. seeds.Skip(first).Take(options.EvaluationBatch)];
            var latents = Latents.Draw(part, network.Model.Shape, device: network.Model.Device);
            parts.Add(path.Solve(latents, labels?.narrow(0, first, part.Length), cancellation));
        }

        return parts.Count == 1 ? parts[0] : [.. Enumerable.Range(0, parts[0].Length).Select(i => cat([.. parts.Select(p => p[i])]))];
    }
}

/// <summary>M paths of the teacher over L levels, or a batch of them.</summary>
/// <param name="States">The states at s_0 to s_L, L+1 tensors [M,C,H,W]; s_L is 0 where the schedule's terminal rule is zero.</param>
/// <param name="Sigma">s_i of each path [M,L], float32.</param>
/// <param name="Ratio">r_i = s_(i+1) / s_i [M,L], float32.</param>
/// <param name="Weight">Weight of each level in the loss [M,L], float32.</param>
/// <param name="Labels">int64 [M]; null for a model without classes.</param>
internal sealed record TeacherBlock(Tensor[] States, Tensor Sigma, Tensor Ratio, Tensor Weight, Tensor? Labels) : IDisposable
{
    /// <summary>Number of levels L: steps of the student.</summary>
    public int Levels => States.Length - 1;

    private IEnumerable<Tensor> All => Labels is null ? [.. States, Sigma, Ratio, Weight] : [.. States, Sigma, Ratio, Weight, Labels];

    /// <summary>Joins batches; the result belongs to the current dispose scope.</summary>
    public static TeacherBlock Join(IReadOnlyList<TeacherBlock> batches) => new(
        [.. Enumerable.Range(0, batches[0].States.Length).Select(i => cat([.. batches.Select(b => b.States[i])]))],
        cat([.. batches.Select(b => b.Sigma)]), cat([.. batches.Select(b => b.Ratio)]), cat([.. batches.Select(b => b.Weight)]),
        batches[0].Labels is null ? null : cat([.. batches.Select(b => b.Labels!)]));

    /// <summary>Some of the paths; they belong to the current dispose scope.</summary>
    public TeacherBlock Rows(long[] rows)
    {
        using var scope = NewDisposeScope();
        var index = HostCopy.To(tensor(rows), Sigma.device);
        Tensor Pick(Tensor t) => t.index_select(0, index).MoveToOuterDisposeScope();
        return new([.. States.Select(Pick)], Pick(Sigma), Pick(Ratio), Pick(Weight), Labels is null ? null : Pick(Labels));
    }

    /// <summary>Successive paths, as views that belong to the current dispose scope.</summary>
    public TeacherBlock Part(long first, long count)
    {
        Tensor Cut(Tensor t) => t.narrow(0, first, count);
        return new([.. States.Select(Cut)], Cut(Sigma), Cut(Ratio), Cut(Weight), Labels is null ? null : Cut(Labels));
    }

    /// <summary>Takes the tensors out of every dispose scope; from then on <see cref="Dispose"/> frees them.</summary>
    public TeacherBlock Keep()
    {
        foreach (var tensor in All)
            tensor.DetachFromDisposeScope();
        return this;
    }

    public void Dispose()
    {
        foreach (var tensor in All)
            tensor.Dispose();
    }
}
