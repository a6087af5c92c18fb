using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Tests.Search;

public sealed class SamplerChoiceTests : FolderTests
{
    private string Mine => _folder.File("mine" + SamplerFile.Extension);

    [Theory]
    [InlineData("karras/ipndm:3/6", typeof(ScheduleChoice.Standard), "ipndm:3", 6)]
    [InlineData("beta:0.5:0.7/unipc:3:variant=bh1/4", typeof(ScheduleChoice.Standard), "unipc:3:variant=bh1", 4)]
    [InlineData("gits:1.15/euler/3", typeof(ScheduleChoice.Searched), "euler", 3)]
    public void The_short_form_is_schedule_solver_and_steps(string text, Type kind, string solver, int steps)
    {
        var choice = SamplerChoice.Parse(text);
        Assert.IsType(kind, choice.Schedule);
        Assert.Equal((SolverCatalog.Find(solver), steps, text), (choice.Solver, choice.Steps, choice.ToString()));
    }

    [Fact]
    public void A_file_is_a_sampler()
    {
        var sampler = new Sampler(new SamplingSchedule([80, 1, 0.002]), SolverCatalog.Find("heun"))
        { Origin = new SamplerOrigin { Schedule = "mine" } };
        sampler.Save(Mine);
        var choice = SamplerChoice.Parse(Mine);
        Assert.Equal((2, "heun"), (choice.Steps, choice.Solver!.Name));
        Assert.Equal(sampler, choice.Make(0.002, 80, SolverCatalog.Find("euler")));
    }

    [Theory]
    [InlineData("karras", "is no sampler")]
    [InlineData("karras/euler", "is no sampler")]
    [InlineData("karras/euler/four", "is no sampler")]
    [InlineData("karras/euler/4/5", "is no sampler")]
    [InlineData("karras/euler/0", "must be 1 or more")]
    [InlineData("karras/magic/4", "There is no solver 'magic'")]
    [InlineData("magic/euler/4", "There is no schedule 'magic'. Choose one of karras")]
    [InlineData("magic/euler/4", "or an optimiser (phase1")]
    [InlineData("gits:many/euler/4", "must be the coefficient")]
    [InlineData("karras:x/euler/4", "must be a number")]
    [InlineData("missing.sampler.json", "Cannot read")]
    public void One_line_says_what_there_is(string text, string fragment)
    {
        var e = Assert.Throws<InvalidInputException>(() => SamplerChoice.Parse(text));
        Assert.Contains(fragment, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Lists_hold_files_standard_schedules_and_optimisers_under_names_that_differ()
    {
        File.WriteAllText(Mine, "[80, 1, 0.002]");
        string copy = _folder.File("copy/mine" + SamplerFile.Extension);
        File.Copy(Mine, copy);
        var choices = ScheduleChoice.ParseAll([$"karras, phase1,karras", Mine, copy]);
        string name = SamplerFile.NameOf(Mine);
        Assert.Equal(["karras", "phase1", name, $"{name} (2)"], choices.Select(c => c.Name));
        Assert.Equal(
            [ScheduleSource.Standard, ScheduleSource.Phase1, ScheduleSource.Given, ScheduleSource.Given], choices.Select(c => c.Source));
    }

    [Fact]
    public void A_files_number_of_steps_is_not_another()
    {
        File.WriteAllText(Mine, "[80, 1, 0.002]");
        var choice = ScheduleChoice.Parse(Mine);
        Assert.Contains("has 2 steps, not 3", Assert.Throws<InvalidInputException>(() => SamplerChoice.Of(choice, null, 3)).Message,
            StringComparison.Ordinal);
        Assert.Contains("needs a number of steps", Assert.Throws<InvalidInputException>(
            () => SamplerChoice.Of(ScheduleChoice.Parse("karras"), null, null)).Message, StringComparison.Ordinal);
    }
}
