using FewStep.Solvers;

namespace FewStep.Sampling;

/// <summary>One evaluation of the denoiser in a run: the noise level that it is told, and its input as weights of the latents and of the
/// outputs before it, in that order.</summary>
internal sealed record LinearCall(double Sigma, ImmutableArray<double> Weights);

/// <summary>What a deterministic sampler computes, without the solver: every state is a fixed linear combination of the latents and of the
/// denoiser's outputs so far.</summary>
/// <remarks>The combinations are those of the solver itself, which runs over unit vectors in float64 in place of images. What it does is
/// linear in each value of an image by itself, so nothing is lost; a run over random vectors checks that it is.</remarks>
/// <param name="Calls">The evaluations in their order.</param>
/// <param name="End">The images, as weights of the latents and of all outputs.</param>
internal sealed record LinearSampler(ImmutableArray<LinearCall> Calls, ImmutableArray<double> End)
{
    private const double Tolerance = 1e-9; // of the largest value that was met
    private const int Columns = 8;

    /// <exception cref="InvalidInputException">The sampler is no fixed linear combination; the message says what to take
    /// instead.</exception>
    public static LinearSampler Of(Sampler sampler)
    {
        var (solver, schedule) = (sampler.Solver, sampler.Schedule);
        if (solver.ThresholdsDenoised)
        {
            throw new InvalidInputException($"Solver {solver.Name} limits each output by dynamic thresholding, which depends on the image, "
                + $"so its steps are no constants; say it as {solver.Name}:thresholding=false.");
        }

        var counted = new Probe(1, _ => zeros([1, 1, 1, 1], float64));
        counted.Run(solver, schedule, zeros([1, 1, 1, 1], float64));
        int basis = counted.Inputs.Count + 1;
        Tensor Unit(int i) => tensor([.. Enumerable.Range(0, basis).Select(k => k == i ? 1.0 : 0)]).view(1, 1, 1, basis);
        var units = new Probe(basis, call => Unit(call + 1));
        double[] end = units.Run(solver, schedule, Unit(0));
        var linear = new LinearSampler(
            [.. units.Inputs.Select((input, call) => new LinearCall(units.Sigmas[call], [.. input[..(call + 1)]]))], [.. end]);
        linear.Check(solver, schedule);
        return linear;
    }

    // A solver from elsewhere may do anything.
    private void Check(ISolver solver, SamplingSchedule schedule)
    {
        var random = new Random(1);
        double[][] values = [.. Enumerable.Range(0, Calls.Length + 1)
            .Select(_ => Enumerable.Range(0, Columns).Select(_ => (random.NextDouble() * 4) - 2).ToArray())];
        var probe = new Probe(Columns, call => tensor(values[call + 1]).view(1, 1, 1, Columns));
        double[] end = probe.Run(solver, schedule, tensor(values[0]).view(1, 1, 1, Columns));
        bool agrees = probe.Inputs.Count == Calls.Length && Calls.Select((call, i) => (call.Weights, Is: probe.Inputs[i]))
            .Append((Weights: End, Is: end)).All(pair => pair.Is.Select((value, k) => (value, Sum: pair.Weights.Select(
                (w, j) => w * values[j][k]).Sum())).All(p => Math.Abs(p.value - p.Sum) <= Tolerance * (1 + Math.Abs(p.value))));
        if (!agrees)
        {
            throw new InvalidInputException($"Solver {solver.Name} is no fixed linear combination of latents and outputs, so its steps are "
                + $"no constants; take one of {string.Join(", ", SolverCatalog.Names)}.");
        }
    }

    /// <summary>Stands for the model: notes what it is given, and gives what it is told to.</summary>
    private sealed class Probe(int width, Func<int, Tensor> output) : IDenoiser
    {
        public List<double[]> Inputs { get; } = [];
        public List<double> Sigmas { get; } = [];
        public ImageShape Shape => new(1, 1, width);
        public int Classes => 0;
        public double SigmaMin => SigmaLimits.Smallest;
        public double SigmaMax => SigmaLimits.Largest;

        public double[] Run(ISolver solver, SamplingSchedule schedule, Tensor latents)
        {
            using var scope = NewDisposeScope();
            scope.Attach(latents);
            return new SamplingLoop(this, solver, schedule).Sample(latents).Samples.data<double>().ToArray();
        }

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
        {
            Sigmas.Add(sigma.item<double>());
            Inputs.Add(x.contiguous().data<double>().ToArray());
            return output(Inputs.Count - 1);
        }
    }
}
