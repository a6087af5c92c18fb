using FewStep.Denoising;

namespace FewStep.Tests.Denoising;

public sealed class MixtureFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"fewstep-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_mixture_survives_the_file_exactly()
    {
        var mixture = new GaussianMixture(
            new ImageShape(1, 1, 2), [0.1, 0.2, 0.7], [[1.0 / 3, -2], [0, 1e-300], [4, 5]], [0, Math.PI, 1], [1, 0, 1]);
        TestMixtures.Write(_path, mixture);
        var read = MixtureFile.Read(_path);
        Assert.Equal(mixture.Shape, read.Shape);
        Assert.Equal(mixture.Weights, read.Weights);
        Assert.Equal(mixture.Means.SelectMany(m => m), read.Means.SelectMany(m => m));
        Assert.Equal(mixture.Stds, read.Stds);
        Assert.Equal(mixture.ComponentClasses, read.ComponentClasses);
    }

    [Theory]
    [InlineData("""{"kind":"gmm","weights":[1],"means":[[0,0]],"stds":[1],"shape":[1,1,2]}""", "kind")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[1],"means":[[0]],"stds":[1],"shape":[1,1,2]}""", "mean 0 has 1 values")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[0.9],"means":[[0,0]],"stds":[1],"shape":[1,1,2]}""", "sum to 0.9")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[0.5,0.5],"means":[[0,0],null],"stds":[1,1],"shape":[1,1,2]}""", "null")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[2,-1],"means":[[0,0],[0,0]],"stds":[1,1],"shape":[1,1,2]}""", "weight 1 is -1")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[1],"means":[[0,1e999]],"stds":[1],"shape":[1,1,2]}""", "value 1")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[1],"means":[[0,0]],"stds":[-1],"shape":[1,1,2]}""", "deviation 0 is -1")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[1],"means":[[0,0]],"stds":[1,1],"shape":[1,1,2]}""", "as many")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[1],"means":[[0,0]],"stds":[1],"shape":[2]}""", "channels, height, width")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[1],"means":[[0,0]],"stds":[1],"shape":[-1,1,2]}""", "out of range")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[1],"means":[[0,0]],"stds":[1],"shape":[1,1,2],"classes":[1]}""", "gap")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[],"means":[],"stds":[],"shape":[1,1,2]}""", "at least 1")]
    [InlineData("""{"kind":"gaussian-mixture","weights":[NaN],"means":[[0,0]],"stds":[1],"shape":[1,1,2]}""", "not valid")]
    [InlineData("""{"kind":"gaussian-mixture"}""", "not valid")]
    [InlineData("""[1]""", "not valid")]
    public void Hostile_files_get_one_line_that_names_file_and_rule(string json, string rule)
    {
        File.WriteAllText(_path, json);
        var e = Assert.Throws<InvalidInputException>(() => MixtureFile.Read(_path));
        Assert.Contains(_path, e.Message, StringComparison.Ordinal);
        Assert.Contains(rule, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }
}
