using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class EnergyDistanceTests
{
    [Fact]
    public void Distance_and_gradient_are_those_of_the_plain_formula()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var (x, y) = (randn(5, 3), randn(5, 3) + 0.5);
        var leaf = x.clone().requires_grad_();
        var again = x + (1e-6f * randn(5, 3)); // as another pass rounds them
        var found = EnergyDistance.Share(leaf, 0, again, y);
        found.backward();

        var plain = x.clone().requires_grad_();
        var expected = Plain(plain, y);
        expected.backward();
        Assert.Equal(expected.item<float>(), found.item<float>(), 1e-5);
        Assert.True(leaf.grad!.allclose(plain.grad!, atol: 1e-4));
    }

    [Fact]
    public void Shares_and_their_gradients_add_up()
    {
        using var scope = NewDisposeScope();
        var (x, y) = (randn(5, 3), randn(5, 3));
        var whole = x.clone().requires_grad_();
        var all = EnergyDistance.Share(whole, 0, x, y);
        all.backward();
        var leaf = x.clone().requires_grad_();
        var parts = EnergyDistance.Share(leaf.narrow(0, 0, 2), 0, x, y) + EnergyDistance.Share(leaf.narrow(0, 2, 3), 2, x, y);
        parts.backward();
        Assert.Equal(all.item<float>(), parts.item<float>(), 1e-5);
        Assert.True(leaf.grad!.allclose(whole.grad!, atol: 1e-6));
    }

    // Of normal numbers of deviations 1 and c: sqrt(2/pi) (2 sqrt(1 + c^2) - sqrt 2 - sqrt 2 c).
    [Theory]
    [InlineData(1, 0)]
    [InlineData(0.5, 0.0966)]
    public void It_is_zero_for_one_distribution_and_tells_a_shrunken_one(double scale, double expected)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var (x, y) = (randn([4000, 1], generator: generator), randn([4000, 1], generator: generator));
        Assert.Equal(expected, EnergyDistance.Share(x * scale, 0, x * scale, y).item<float>(), 0.01);
    }

    [Fact]
    public void Images_that_are_the_teachers_have_finite_gradients()
    {
        using var scope = NewDisposeScope();
        var x = randn(4, 3).requires_grad_();
        EnergyDistance.Share(x, 0, x.detach(), x.detach()).backward();
        Assert.True(x.grad!.isfinite().all().item<bool>());
    }

    private static Tensor Plain(Tensor x, Tensor y)
    {
        var sum = zeros(1);
        for (int i = 0; i < 5; i++)
        {
            for (int j = 0; j < 5; j++)
            {
                if (i != j)
                    sum += (2 * Root(x[i] - y[j])) - Root(x[i] - x[j]) - Root(y[i] - y[j]);
            }
        }

        return sum / 20;
        static Tensor Root(Tensor d) => d.square().mean().sqrt();
    }
}
