using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>A loss along the teacher's paths, judged by how far the student's images end from the teacher's.</summary>
internal abstract class TeacherObjective : ITuningObjective
{
    private readonly TeacherBlocks _blocks;
    private readonly HeldOutEnds _heldOut;

    /// <param name="keep">The states of a path that the loss looks at, from latents and labels.</param>
    protected TeacherObjective(TuningNetwork network, Sampler sampler, TuningOptions options, IImageEmbedding embedding,
        Func<TeacherPath, Tensor, Tensor?, CancellationToken, Tensor[]> keep)
    {
        (Network, Embedding) = (network, embedding);
        Teacher = options.Teacher(network.Teacher, sampler.Schedule);
        _blocks = new TeacherBlocks(
            network.Model, options, (latents, labels, cancellation) => keep(Teacher, latents, labels, cancellation), network.Ranks);
        _heldOut = new HeldOutEnds(network, sampler, Teacher, options, embedding);
    }

    public string HeldOutMetric => _heldOut.Name;
    protected TuningNetwork Network { get; }
    protected IImageEmbedding Embedding { get; }
    protected TeacherPath Teacher { get; }

    public Tensor Backpropagate(long update, Tensor weights, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var batch = _blocks.Batch(update, cancellation);
        var total = zeros(1, device: weights.device);
        foreach (var part in _blocks.Parts(batch))
        {
            Backpropagate(update, part, weights, loss =>
            {
                loss.backward();
                total.Plus_(loss.detach());
            });
        }

        return total.MoveToOuterDisposeScope();
    }

    public double HeldOut(Tensor weights, CancellationToken cancellation) => _heldOut.Distance(weights, cancellation);

    public void Dispose()
    {
        _blocks.Dispose();
        _heldOut.Dispose();
    }

    /// <summary>Hands the losses of a part over, each with its share of the update's; the gradient of one is added at once.</summary>
    protected abstract void Backpropagate(long update, TeacherPart part, Tensor weights, Action<Tensor> add);
}
