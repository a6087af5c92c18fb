using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>Pulls the student's image to the teacher's of the same latent. The gradient goes through all steps, so the states in between
/// are free: a fitted sampler's are not the teacher's.</summary>
internal sealed class EndpointObjective : ITuningObjective
{
    private readonly TuningNetwork _network;
    private readonly IImageEmbedding _embedding;
    private readonly TeacherBlocks _blocks;
    private readonly StudentSteps _steps;
    private readonly HeldOutEnds _heldOut;

    public EndpointObjective(TuningNetwork network, Sampler sampler, TuningOptions options, IImageEmbedding embedding)
    {
        (_network, _embedding) = (network, embedding);
        var teacher = options.Teacher(network.Teacher, sampler.Schedule);
        _blocks = new TeacherBlocks(network.Model, options, (latents, labels, cancellation) =>
        {
            var states = teacher.SolveFinely(latents, labels, cancellation);
            return [states[0], states[^1]];
        });
        _steps = new StudentSteps(sampler);
        _heldOut = new HeldOutEnds(network, sampler, teacher, options, embedding);
    }

    public string HeldOutMetric => _heldOut.Name;

    public Tensor Backpropagate(long update, Tensor weights, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var batch = _blocks.Batch(update, cancellation);
        var student = _network.Student(weights);
        var total = zeros(1, device: weights.device);
        foreach (var (paths, share) in _blocks.Parts(batch))
        {
            var x = paths.States[0];
            IReadOnlyList<PastStep> past = [];
            for (int i = 0; i < _steps.Levels; i++)
                (x, past) = _steps.Step(i, x, student.Denoise(x, _steps.Told(i, x), paths.Labels), past);
            var loss = (_embedding.Embed(x) - _embedding.Embed(paths.States[^1])).Squared().mean().Times(share);
            loss.backward();
            total.Plus_(loss.detach());
        }

        return total.MoveToOuterDisposeScope();
    }

    public double HeldOut(Tensor weights, CancellationToken cancellation) => _heldOut.Distance(weights, cancellation);

    public void Dispose()
    {
        _blocks.Dispose();
        _heldOut.Dispose();
    }
}
