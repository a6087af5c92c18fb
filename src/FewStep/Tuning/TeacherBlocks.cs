using FewStep.Collectives;
using FewStep.Data;
using FewStep.Networks;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>The teacher's paths for every update of a tuning, made in blocks that are used several times, each time in another order. What
/// an update gets depends on the options and its number only, so a resumed tuning makes the same block again. Of several ranks each makes
/// its part of every batch of paths; all keep the block, which is shuffled.</summary>
/// <param name="solve">The states of a path that are kept, from latents and labels.</param>
/// <param name="ranks">Who tunes together; null for this process alone.</param>
internal sealed class TeacherBlocks(
    NetworkDenoiser model, TuningOptions options, Func<Tensor, Tensor?, CancellationToken, Tensor[]> solve,
    ICollective? ranks = null) : IDisposable
{
    private readonly ICollective _ranks = ranks ?? SingleProcess.Instance;
    private readonly BatchPart _own = (ranks ?? SingleProcess.Instance).PartOf(options.Batch);

    private readonly int _updatesPerBlock = checked(options.TeacherBatches * options.TeacherReuse);
    private TeacherBlock? _block;
    private EpochShuffle? _order;
    private long _number = -1;

    /// <returns>This rank's part of a batch of paths; it belongs to the current dispose scope.</returns>
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

        long first = ((update - number * _updatesPerBlock) * options.Batch) + _own.First;
        return _block!.Rows([.. Enumerable.Range(0, _own.Count).Select(k => (long)_order![first + k])]);
    }

    /// <summary>This rank's part of a batch in parts that are small enough for one evaluation, each with its share of the batch.</summary>
    public IEnumerable<TeacherPart> Parts(TeacherBlock batch)
    {
        for (int first = 0; first < _own.Count; first += options.EvaluationBatch)
        {
            using var part = NewDisposeScope();
            int count = Math.Min(options.EvaluationBatch, _own.Count - first);
            yield return new(batch.Part(first, count), _own.First + first, (double)count / options.Batch);
        }
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
        using var scope = NewDisposeScope(); // most states of a path are not kept
        long position = batch * options.Batch;
        long[] seeds = TuningSeeds.Training(options.Seed, position, options.Batch);
        var labels = SeedLabels.For(seeds, model.Classes, device: model.Device);
        if (labels is not null && options.LabelDropout > 0)
        {
            bool[] dropped = [.. Enumerable.Range(0, options.Batch)
                .Select(k => TuningSeeds.DropsLabel(options.Seed, position + k, options.LabelDropout))];
            labels = labels.masked_fill(HostCopy.To(tensor(dropped), model.Device), TensorArithmetic.MinusOne);
        }

        var parts = new List<Tensor[]>();
        for (int first = _own.First; first < _own.End; first += options.EvaluationBatch)
        {
            long[] part = seeds[first..Math.Min(first + options.EvaluationBatch, _own.End)];
            var latents = Latents.Draw(part, model.Shape, device: model.Device);
            parts.Add(solve(latents, labels?.narrow(0, first, part.Length), cancellation));
        }

        return new TeacherBlock([.. Enumerable.Range(0, parts[0].Length).Select(Joined)], labels).ToOuterScope();

        Tensor Joined(int state) => _ranks.Rows(cat([.. parts.Select(p => p[state])]), options.Batch);
    }
}

/// <summary>Some of a batch's paths.</summary>
/// <param name="First">Place of the first of them in the batch.</param>
/// <param name="Share">Their share of the batch.</param>
internal sealed record TeacherPart(TeacherBlock Paths, int First, double Share);

/// <summary>M paths of the teacher, or a batch of them.</summary>
/// <param name="States">The states that are kept, from the highest sigma down, [M,C,H,W] each.</param>
/// <param name="Labels">int64 [M]; null for a model without classes.</param>
internal sealed record TeacherBlock(Tensor[] States, Tensor? Labels) : IDisposable
{
    private IEnumerable<Tensor> All => Labels is null ? States : [.. States, Labels];

    /// <summary>Joins batches; the result belongs to the current dispose scope.</summary>
    public static TeacherBlock Join(IReadOnlyList<TeacherBlock> batches) => new(
        [.. Enumerable.Range(0, batches[0].States.Length).Select(i => cat([.. batches.Select(b => b.States[i])]))],
        batches[0].Labels is null ? null : cat([.. batches.Select(b => b.Labels!)]));

    /// <summary>Some of the paths; they belong to the current dispose scope.</summary>
    public TeacherBlock Rows(long[] rows)
    {
        using var scope = NewDisposeScope();
        var index = HostCopy.To(tensor(rows), States[0].device);
        Tensor Pick(Tensor t) => t.index_select(0, index).MoveToOuterDisposeScope();
        return new([.. States.Select(Pick)], Labels is null ? null : Pick(Labels));
    }

    /// <summary>Successive paths, as views that belong to the current dispose scope.</summary>
    public TeacherBlock Part(long first, long count)
        => new([.. States.Select(x => x.narrow(0, first, count))], Labels?.narrow(0, first, count));

    /// <summary>Moves the tensors to the dispose scope around the current one.</summary>
    public TeacherBlock ToOuterScope()
    {
        foreach (var tensor in All)
            tensor.MoveToOuterDisposeScope();
        return this;
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
