using FewStep.Solvers;
using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Fitting;

/// <summary>How far each latent's image is from the teacher's.</summary>
internal sealed class TeacherDistance(IDenoiser denoiser, FitLatents latents, TeacherStates teacher) : IImageDistance
{
    public Tensor Embed(Tensor images) => teacher.Embed(images);

    public (double Fitted, double HeldOut) Value(ISolver solver, SamplingSchedule schedule, CancellationToken cancellation)
    {
        double[] squares = teacher.MeanSquares(denoiser, solver, schedule, latents, latents.Batches, cancellation);
        return (squares[..latents.Fitted].Average(), squares[latents.Fitted..].Average());
    }

    public string Describe(double squared) => InvariantText.Of($"RMS {Math.Sqrt(squared):G4}");

    public INormalEquations Equations() => new Sums(teacher);

    private sealed class Sums(TeacherStates teacher) : INormalEquations
    {
        private double[]? _products; // of all derivatives and the residual with each other

        public void Add(int batch, Tensor derivatives, Tensor images)
        {
            using var scope = NewDisposeScope();
            var rows = cat([derivatives, (images - teacher.End(batch)).unsqueeze(1)], 1).to(float64);
            double[] products = rows.bmm(rows.transpose(1, 2)).sum([0L]).cpu().data<double>().ToArray();
            _products = _products is null ? products : [.. _products.Zip(products, (a, b) => a + b)];
        }

        public (Matrix<double> Normal, Vector<double> Gradient) Finish()
        {
            int n = (int)Math.Sqrt(_products!.Length) - 1;
            var all = Matrix<double>.Build.DenseOfRowMajor(n + 1, n + 1, _products);
            return (all.SubMatrix(0, n, 0, n), all.SubMatrix(0, n, n, 1).Column(0));
        }

        public void Dispose()
        {
        }
    }
}
