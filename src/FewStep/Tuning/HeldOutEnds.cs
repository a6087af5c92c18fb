using FewStep.Collectives;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>How far the student's images of held-out latents are from the teacher's, which are made once. Of several ranks each measures
/// its part.</summary>
internal sealed class HeldOutEnds(
    TuningNetwork network, Sampler sampler, TeacherPath teacher, TuningOptions options, IImageEmbedding embedding) : IDisposable
{
    private readonly List<Tensor> _ends = []; // embedded
    private readonly BatchPart _own = network.Ranks.PartOf(options.HeldOutCount);

    public string Name => embedding is PixelEmbedding
        ? "root-mean-square distance of a pixel to the teacher's endpoint"
        : $"root-mean-square distance to the teacher's endpoint in {embedding.Name}";

    public double Distance(Tensor weights, CancellationToken cancellation)
    {
        using var inference = no_grad();
        var device = weights.device;
        var student = new SamplingLoop(network.HeldOut(weights), sampler.Solver, sampler.Schedule);
        double squares = 0;
        for (int start = _own.First, batch = 0; start < _own.End; start += options.EvaluationBatch, batch++)
        {
            using var scope = NewDisposeScope();
            long[] seeds = SeedPlan.HeldOut(start, Math.Min(options.EvaluationBatch, _own.End - start));
            var latents = Latents.Draw(seeds, network.Model.Shape, device: device);
            var labels = SeedLabels.For(seeds, network.Model.Classes, device: device);
            if (batch == _ends.Count)
                _ends.Add(embedding.Embed(teacher.SolveFinely(latents, labels, cancellation)[^1]).clone().DetachFromDisposeScope());
            var end = embedding.Embed(student.Sample(latents, labels, cancellationToken: cancellation).Samples);
            squares += PairedDistance.MeanSquares(end - _ends[batch]).Sum();
        }

        return Math.Sqrt(network.Ranks.Sum([squares])[0] / options.HeldOutCount);
    }

    public void Dispose() => _ends.ForEach(end => end.Dispose());
}
