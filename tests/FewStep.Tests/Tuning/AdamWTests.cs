using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class AdamWTests
{
    [Fact]
    public void It_makes_the_updates_of_the_library_s_optimizer()
    {
        using var scope = NewDisposeScope();
        var start = randn(100, generator: new Generator(1));
        var reference = new TorchSharp.Modules.Parameter(start.clone());
        var library = optim.AdamW([reference], lr: 0.01, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.1);
        var parameters = start.clone();
        using var ours = new AdamW(parameters, new AdamWOptions { WeightDecay = 0.1, ClipNorm = double.PositiveInfinity });
        for (int i = 0; i < 20; i++)
        {
            var gradient = randn(100, generator: new Generator((ulong)i));
            reference.grad = gradient.clone();
            library.step();
            ours.Step(gradient, 0.01);
        }

        Assert.True(allclose(reference, parameters, rtol: 1e-5, atol: 1e-6));
        Assert.Equal(20, ours.Updates);
    }

    [Fact]
    public void The_gradient_is_clipped_and_its_norm_before_that_is_told()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new AdamW(zeros(4), new AdamWOptions { ClipNorm = 1 });
        var gradient = full(4, 5f);
        Assert.Equal(10, optimizer.Step(gradient, 0.1).item<float>(), 5);
        Assert.Equal(1, gradient.norm().item<float>(), 5);
    }

    [Fact]
    public void Entries_that_are_not_finite_count_as_zero()
    {
        using var scope = NewDisposeScope();
        var parameters = ones(3);
        using var optimizer = new AdamW(parameters, new AdamWOptions());
        optimizer.Step(tensor(new[] { float.NaN, float.PositiveInfinity, 1f }), 0.1);
        Assert.True(parameters.isfinite().all().item<bool>());
        Assert.Equal(1, parameters[0].item<float>());
    }
}
