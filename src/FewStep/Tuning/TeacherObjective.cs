using FewStep.Collectives;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>A loss along the teacher's paths, judged by how far the student's images end from the teacher's.</summary>
internal abstract class TeacherObjective : ITuningObjective
{
    private readonly TeacherBlocks _blocks;
    private readonly HeldOutEnds _heldOut;
    private readonly TuningOptions _options;
    private (Tensor Student, Tensor Teacher)? _whole; // summaries of a batch that comes in parts

    /// <param name="keep">The states of a path that the loss looks at, from latents and labels.</param>
    protected TeacherObjective(TuningNetwork network, Sampler sampler, TuningOptions options, IImageEmbedding embedding,
        Func<TeacherPath, Tensor, Tensor?, CancellationToken, Tensor[]> keep)
    {
        (Network, Embedding, _options) = (network, embedding, options);
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
        _whole = Whole(update, batch, weights);
        var total = zeros(1, device: weights.device);
        foreach (var part in _blocks.Parts(batch))
        {
            Backpropagate(update, part, weights, loss =>
            {
                loss.backward();
                total.Plus_(loss.detach());
            });
        }

        _whole = null;
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

    /// <summary>The student's images that a loss compares with the teacher's ends; only of losses that compare images.</summary>
    protected virtual Tensor Images(long update, TeacherPart part, IDenoiser student)
        => throw new InvalidOperationException("This loss compares no images.");

    /// <summary>A part's share of the loss of images: of each to its target, and of all to the teacher's.</summary>
    /// <param name="targets">Where each should arrive; null for the teacher's ends.</param>
    protected Tensor ImageLoss(Tensor images, Tensor? targets, TeacherPart part)
    {
        var (own, summary) = Embedding.EmbedWithSummary(images);
        var (their, ends) = Embedding.EmbedWithSummary(targets ?? part.Paths.States[^1]);
        var paired = (own - their).Squared().mean().Times(part.Share);
        if (_options.EnergyWeight == 0)
            return paired;
        if (_whole is not { } whole)
            whole = (summary.detach(), targets is null ? ends : Summary(part.Paths.States[^1]));
        return paired.Plus(EnergyDistance.Share(summary, part.First, whole.Student, whole.Teacher), _options.EnergyWeight);
    }

    // An energy distance is of a batch, not of a part or of a rank's share: where those are not the whole batch, its images are made once
    // more, before the gradients.
    private (Tensor Student, Tensor Teacher)? Whole(long update, TeacherBlock batch, Tensor weights)
    {
        if (_options.EnergyWeight == 0 || (Network.Ranks.Ranks == 1 && _options.EvaluationBatch >= _options.Batch))
            return null;
        using var noGradient = no_grad();
        var student = Network.HeldOut(weights);
        var (own, teacher) = (new List<Tensor>(), new List<Tensor>());
        foreach (var part in _blocks.Parts(batch))
        {
            own.Add(Summary(Images(update, part, student)).MoveToOuterDisposeScope());
            teacher.Add(Summary(part.Paths.States[^1]).MoveToOuterDisposeScope());
        }

        return (Network.Ranks.Rows(cat(own), _options.Batch), Network.Ranks.Rows(cat(teacher), _options.Batch));
    }

    private Tensor Summary(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Embedding.EmbedWithSummary(images).Summary.MoveToOuterDisposeScope();
    }
}
