using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>Pulls the student's image to the teacher's of the same latent. The gradient goes through all steps, so the states in between
/// are free: a fitted sampler's are not the teacher's.</summary>
internal sealed class EndpointObjective(TuningNetwork network, Sampler sampler, TuningOptions options, IImageEmbedding embedding)
    : TeacherObjective(network, sampler, options, embedding, Ends)
{
    private readonly StudentSteps _steps = new(sampler);

    protected override void Backpropagate(long update, TeacherPart part, Tensor weights, Action<Tensor> add)
    {
        var (paths, student) = (part.Paths, Network.Student(weights));
        var x = paths.States[0];
        IReadOnlyList<PastStep> past = [];
        for (int i = 0; i < _steps.Levels; i++)
            (x, past) = _steps.Step(i, x, student.Denoise(x, _steps.Told(i, x), paths.Labels), past);
        add((Embedding.Embed(x) - Embedding.Embed(paths.States[^1])).Squared().mean().Times(part.Share));
    }

    private static Tensor[] Ends(TeacherPath teacher, Tensor latents, Tensor? labels, CancellationToken cancellation)
    {
        var states = teacher.SolveFinely(latents, labels, cancellation);
        return [states[0], states[^1]];
    }
}
