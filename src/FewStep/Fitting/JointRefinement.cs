using FewStep.Sampling;
using FewStep.Solvers;
using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Fitting;

/// <summary>Refines a fitted sampler on the distance at its end: inner sigmas, the noise levels that the network is told, and all weights
/// together, by Levenberg and Marquardt's method.</summary>
/// <remarks>
/// Derivatives are central differences, so any denoiser will do. A value that changes nothing before step i is probed from there on, with
/// the run up to there kept. A step is taken only where the distance falls on the latents fitted on and on those held out.
/// </remarks>
internal sealed class JointRefinement(IDenoiser denoiser, ISolver solver, FitOptions options, FitLatents latents, TeacherStates teacher)
{
    private const double Probe = 0.04; // far above what the network's rounding moves
    private const double LeastGain = 0.005;
    private const int Attempts = 4;

    /// <summary>Refines as long as an iteration lowers the held-out distance by half a percent, or as often as the options allow.</summary>
    /// <param name="squares">Each latent's mean square at the end of the start.</param>
    /// <returns>The sampler with its mean squares, and how often it was improved; the start where nothing was better.</returns>
    public (SamplingSchedule Schedule, FittedSolver Solver, double[] Squares, int Iterations) Refine(SamplingSchedule schedule,
        FittedSolver start, double[] squares, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var current = (Schedule: schedule, Solver: start, Squares: squares);
        var value = Value(squares);
        double damping = 0.01;
        int iteration = 0;
        for (; iteration < options.RefineIterations; iteration++)
        {
            var parameters = new FitParameters(current.Schedule, current.Solver.Corrections, options.Corrections);
            var (normal, gradient) = Normal(parameters, current.Schedule, current.Solver, cancellation);
            (double Fitted, double HeldOut)? better = null;
            for (int attempt = 0; attempt < Attempts && better is null; attempt++, damping *= 8)
            {
                double[] step = Step(normal, gradient, damping);
                if (parameters.Solver(solver, [.. parameters.Values.Zip(step, (v, s) => v + s)], out var moved) is { } candidate)
                {
                    double[] found = teacher.MeanSquares(denoiser, candidate, moved, latents, latents.Batches, cancellation);
                    var reached = Value(found);
                    if (reached.Fitted < value.Fitted && reached.HeldOut < value.HeldOut)
                        (better, current) = (reached, (moved, candidate, found));
                }
            }

            if (better is not { } lower)
                break;
            double gain = 1 - (lower.HeldOut / value.HeldOut);
            (value, damping) = (lower, Math.Max(damping / 64, 1e-6));
            progress?.Report(
                new WorkProgress(FormattableString.Invariant($"refining, N = {schedule.Steps}"), iteration + 1, options.RefineIterations,
                "iterations", FormattableString.Invariant($"held-out RMS {Math.Sqrt(value.HeldOut):G4}")));
            if (gain < LeastGain)
            {
                iteration++;
                break;
            }
        }

        return (current.Schedule, current.Solver, current.Squares, iteration);
    }

    private (double Fitted, double HeldOut) Value(double[] squares) =>
        (squares[..latents.Fitted].Average(), squares[latents.Fitted..].Average());

    // J^T J and J^T r of the residuals r at the end, over all latents fitted on.
    private (Matrix<double> Normal, Vector<double> Gradient) Normal(
        FitParameters parameters, SamplingSchedule schedule, FittedSolver current, CancellationToken cancellation)
    {
        int n = parameters.Values.Length;
        var normal = Matrix<double>.Build.Dense(n, n);
        var gradient = Vector<double>.Build.Dense(n);
        foreach (int b in latents.Batches.Take(latents.FittedBatches))
        {
            using var scope = NewDisposeScope();
            List<Point> path = [];
            var end = Roll(schedule, current, b, new(0, latents.Noise(b).Times(schedule.Sigmas[0]), null, []), cancellation, path);
            var columns = new Tensor[n + 1];
            for (int k = 0; k < n; k++)
                columns[k] = (teacher.Embed(Moved(k, Probe)) - teacher.Embed(Moved(k, -Probe))).Over_(2 * Probe).MoveToOuterDisposeScope();
            columns[n] = teacher.Embed(end) - teacher.End(b);
            var rows = stack(columns, 1).to(float64); // [B, n+1, values]
            var products = rows.bmm(rows.transpose(1, 2)).sum([0L]).cpu().data<double>().ToArray();
            for (int k = 0; k < n; k++)
            {
                gradient[k] += products[(k * (n + 1)) + n];
                for (int l = 0; l < n; l++)
                    normal[k, l] += products[(k * (n + 1)) + l];
            }

            Tensor Moved(int k, double by)
            {
                double[] values = [.. parameters.Values];
                values[k] += by;
                // Where sigmas would change places there is no such sampler; the derivative is then one-sided, and half as large.
                if (parameters.Solver(solver, values, out var other) is not { } probe)
                    return end;
                using var one = NewDisposeScope();
                var start = path[parameters.Steps[k]];
                return Roll(other, probe, b, parameters.ChangesOutput[k] ? start with { Output = null } : start, cancellation)
                    .MoveToOuterDisposeScope();
            }
        }

        return (normal, gradient);
    }

    private static double[] Step(Matrix<double> normal, Vector<double> gradient, double damping)
    {
        var damped = normal.Clone();
        double floor = 1e-9 * normal.Diagonal().Maximum();
        for (int k = 0; k < gradient.Count; k++)
            damped[k, k] += (damping * normal[k, k]) + floor;
        return [.. damped.Svd().Solve(-gradient)];
    }

    // From some point of a run to its end; the points that it passes are kept where somebody wants them.
    private Tensor Roll(
        SamplingSchedule schedule, FittedSolver sampler, int batch, Point start, CancellationToken cancellation, List<Point>? path = null)
    {
        cancellation.ThrowIfCancellationRequested();
        var (x, history) = (start.State, start.History);
        var labels = latents.Labels(batch);
        Tensor Denoise(Tensor y, double sigma) => DynamicThreshold.For(sampler, denoiser.DenoiseAt(y, sigma, labels));
        for (int i = start.Step; i < schedule.Steps; i++)
        {
            var D = i == start.Step && start.Output is not null ? start.Output : Denoise(x, sampler.NoiseLevel(schedule, i));
            path?.Add(new Point(i, x, D, history));
            var step = new SolverStep(schedule, i, x, D, history, Denoise);
            var result = sampler.Step(step);
            history = [result.Past(step), .. history];
            x = result.Next;
        }

        return schedule.Terminal == ScheduleTerminal.Zero ? denoiser.DenoiseAt(x, schedule.Sigmas[^1], labels) : x;
    }

    // A run at the start of a step; the history is the newest first.
    private sealed record Point(int Step, Tensor State, Tensor? Output, IReadOnlyList<PastStep> History);
}
