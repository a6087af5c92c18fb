using FewStep.Solvers;

namespace FewStep.Tests.Solvers;

public class SolverCatalogTests
{
    public static TheoryData<string> Families => [.. SolverCatalog.Names];

    [Theory]
    [InlineData("euler", "euler")]
    [InlineData("ddim", "euler")]
    [InlineData("HEUN", "heun")]
    [InlineData("dpm2", "dpm2")]
    [InlineData("dpm2:r=0.5", "dpm2")]
    [InlineData("dpm2:r=0.70", "dpm2:r=0.7")]
    [InlineData("unipc", "unipc:3")]
    [InlineData("unipc:3", "unipc:3")]
    [InlineData("unipc:2:variant=bh1", "unipc:2:variant=bh1")]
    [InlineData("unipc:2:variant=bh2:predict=data", "unipc:2")]
    [InlineData("unipc:2:thresholding=false:predict=data", "unipc:2:thresholding=false")]
    [InlineData("unipc:2:thresholding=false:predict=noise", "unipc:2:predict=noise")]
    [InlineData("unipc:1:lower-order-final=false", "unipc:1")]
    [InlineData("dpmpp:2:lower_order_final=false", "dpmpp:2:lower-order-final=false")]
    [InlineData("dpmpp:coefficients=exact:predict=noise", "dpmpp:3:predict=noise:coefficients=exact")]
    [InlineData("dpmpp:1:coefficients=exact", "dpmpp:1")]
    [InlineData("deis:3:coefficients=published", "deis:3")]
    [InlineData("ipndm:2", "ipndm:2")]
    [InlineData("ipndm_v:2:coefficients=exact", "ipndm-v:2")]
    [InlineData("ipndm-v", "ipndm-v:4")]
    public void Texts_that_mean_the_same_give_the_same_solver_under_its_canonical_name(string text, string name)
    {
        Assert.Equal(name, SolverCatalog.Find(text).Name);
        Assert.Same(SolverCatalog.Find(name), SolverCatalog.Find(text));
    }

    [Theory]
    [InlineData("rk\n45", "There is no solver 'rk?45'. Choose one of euler, heun, ")]
    [InlineData("", "There is no solver ''")]
    [InlineData("euler:2", "takes no order")]
    [InlineData("euler:variant=bh1", "has no options")]
    [InlineData("unipc:4", "no order 4; it has 1, 2, 3")]
    [InlineData("deis:1", "no order 1; it has 2, 3, 4")]
    [InlineData("unipc:3:3", "neither an order right after the name nor key=value")]
    [InlineData("unipc:bh1", "neither an order right after the name nor key=value")]
    [InlineData("unipc:-1", "neither an order")]
    [InlineData("unipc:variant=bh3", "variant is bh1 or bh2")]
    [InlineData("unipc:thresholding=yes", "thresholding is true or false")]
    [InlineData("unipc:variant=bh1:variant=bh2", "give one of them")]
    [InlineData("unipc:color=red", "has no option color; it has variant, predict, lower-order-final, thresholding")]
    [InlineData("dpmpp:predict=noise:thresholding=true", "predict=data only")]
    [InlineData("dpm2:r=0", "r is 0.05 to 1")]
    [InlineData("dpm2:r=NaN", "r is 0.05 to 1")]
    public void What_is_impossible_is_refused_in_one_line(string text, string fragment)
    {
        var e = Assert.Throws<InvalidInputException>(() => SolverCatalog.Find(text));
        Assert.Contains(fragment, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Every_family_says_what_it_is_and_its_default_is_among_its_choices(string name)
    {
        var family = SolverCatalog.Families.Single(f => f.Name == name);
        Assert.NotEmpty(family.Description);
        Assert.NotEmpty(family.Source);
        Assert.Equal(family.Orders.IsEmpty, family.DefaultOrder is null);
        Assert.All(family.Options, o => Assert.Equal(SolverCatalog.Find(name), SolverCatalog.Find($"{name}:{o.Key}={o.Default}")));
        if (family.DefaultOrder is int order)
        {
            Assert.Contains(order, family.Orders);
            Assert.Same(SolverCatalog.Find(name), SolverCatalog.Find(FormattableString.Invariant($"{name}:{order}")));
        }
    }

    [Fact]
    public void Names_are_unique_and_lead_back_to_the_solver()
    {
        Assert.Equal(SolverCatalog.Families.Sum(f => Math.Max(1, f.Orders.Length)), SolverCatalog.All.Count);
        Assert.Equal(SolverCatalog.All.Count, SolverCatalog.All.Select(s => s.Name).Distinct().Count());
        Assert.All(SolverCatalog.All, s => Assert.Same(s, SolverCatalog.Find(s.Name)));
        Assert.All(SolverCatalog.All, s => Assert.NotEmpty(s.Description));
        Assert.Equal("ipndm-v[:2..4][:coefficients=published|exact]", SolverCatalog.Family(SolverText.Parse("ipndm-v")).Form);
        Assert.Equal("dpm2[:r=0.05..1]", SolverCatalog.Family(SolverText.Parse("dpm2")).Form);
    }
}
