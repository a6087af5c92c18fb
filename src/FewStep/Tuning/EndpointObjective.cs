using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>Pulls the student's images to the teacher's of the same latents. The gradient goes through all steps, so the states in between
/// are free: a fitted sampler's are not the teacher's.</summary>
internal sealed class EndpointObjective(TuningNetwork network, Sampler sampler, TuningOptions options, IImageEmbedding embedding)
    : TeacherObjective(network, sampler, options, embedding, Ends)
{
    private readonly StudentSteps _steps = new(sampler);

    protected override void Backpropagate(long update, TeacherPart part, Tensor weights, Action<Tensor> add)
        => add(ImageLoss(Images(update, part, Network.Student(weights)), null, part));

    protected override Tensor Images(long update, TeacherPart part, IDenoiser student)
    {
        var (x, labels) = (part.Paths.States[0], part.Paths.Labels);
        IReadOnlyList<PastStep> past = [];
        for (int i = 0; i < _steps.Levels; i++)
            (x, past) = _steps.Step(i, x, student.Denoise(x, _steps.Told(i, x), labels), past);
        return x;
    }

    private static Tensor[] Ends(TeacherPath teacher, Tensor latents, Tensor? labels, CancellationToken cancellation)
    {
        var states = teacher.SolveFinely(latents, labels, cancellation);
        return [states[0], states[^1]];
    }
}
